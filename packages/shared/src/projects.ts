import { z } from 'zod';
import { idSchema, pageOf, pageQuery, projectParams, revisionSchema, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';

export const projectSchema = z.object({
  id: idSchema,
  owner: nameSchema,
  name: nameSchema,
  description: z.string(),
  public: z.boolean(),
  /** Number of the newest job; 0 before the first. */
  lastJob: z.number().int().nonnegative(),
  createdAt: timeSchema,
  revision: revisionSchema,
});
export type Project = z.infer<typeof projectSchema>;

const tag = 'projects';
const editable = { description: z.string().max(10_000), public: z.boolean() };
export const projectRoutes = {
  list: defineRoute({
    method: 'GET',
    path: '/v1/projects',
    auth: 'user',
    tag,
    summary: 'Projects you may see, newest first',
    query: pageQuery.extend({ owner: nameSchema.optional() }),
    response: pageOf(projectSchema),
  }),
  create: defineRoute({
    method: 'POST',
    path: '/v1/projects',
    audit: 'create project',
    auditShows: ['public'],
    auth: 'user',
    tag,
    summary: 'Makes a project of yours, or of a team of yours',
    errors: ['conflict', 'not_found'],
    example: { body: { name: 'dogsvscats', description: 'Cats and dogs, 2,000 photographs' } },
    status: 201,
    body: z.object({
      /** A team; the caller himself unless said. */
      owner: nameSchema.optional(),
      name: nameSchema,
      description: editable.description.default(''),
      public: editable.public.default(false),
    }),
    response: projectSchema,
  }),
  get: defineRoute({
    method: 'GET',
    path: '/v1/projects/:owner/:project',
    auth: 'user',
    tag,
    summary: 'One project',
    example: { params: { owner: 'lab', project: 'dogsvscats' } },
    params: projectParams,
    response: projectSchema,
  }),
  update: defineRoute({
    method: 'PATCH',
    path: '/v1/projects/:owner/:project',
    audit: 'edit project',
    auditShows: ['public'],
    auth: 'user',
    tag,
    summary: 'Changes description or visibility; with `If-Match: "REVISION"` only what you have seen',
    errors: ['changed_meanwhile'],
    params: projectParams,
    body: z.object(editable).partial(),
    response: projectSchema,
  }),
  delete: defineRoute({
    method: 'DELETE',
    path: '/v1/projects/:owner/:project',
    audit: 'delete project',
    auth: 'user',
    tag,
    summary: 'Deletes a project whose jobs have all ended',
    errors: ['conflict'],
    params: projectParams,
  }),
};
