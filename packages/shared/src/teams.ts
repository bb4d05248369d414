import { z } from 'zod';
import { bytesSchema, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';
import { storageSchema } from './storage.js';

/**
 * What one is in a team. A viewer reads what is the team's; a member also submits, uploads, edits and stops; an admin also deletes
 * and says who is in the team.
 */
export const teamRoleSchema = z.enum(['viewer', 'member', 'admin']);
export type TeamRole = z.infer<typeof teamRoleSchema>;

export const memberSchema = z.object({ user: nameSchema, role: teamRoleSchema, since: timeSchema });
export type Member = z.infer<typeof memberSchema>;

export const teamSchema = z.object({
  name: nameSchema,
  /** The caller's own; null: he isn't in it. */
  role: teamRoleSchema.nullable(),
  members: z.number().int().nonnegative(),
  createdAt: timeSchema,
});
export type Team = z.infer<typeof teamSchema>;

export const teamDetailSchema = teamSchema.extend({
  members: z.array(memberSchema),
  projects: z.number().int().nonnegative(),
  datasets: z.number().int().nonnegative(),
  storage: storageSchema,
  /** What all jobs of its projects may take at the same time; null: any number. */
  limits: z.object({ jobs: bytesSchema.nullable(), gpus: bytesSchema.nullable() }),
});
export type TeamDetail = z.infer<typeof teamDetailSchema>;

const tag = 'teams';
const params = z.object({ team: nameSchema });
const memberParams = params.extend({ user: nameSchema });
export const teamRoutes = {
  list: defineRoute({
    method: 'GET',
    path: '/v1/teams',
    auth: 'user',
    tag,
    summary: 'The teams you are in; an admin of the server sees all',
    response: z.object({ items: z.array(teamSchema) }),
  }),
  create: defineRoute({
    method: 'POST',
    path: '/v1/teams',
    audit: 'create team',
    auditShows: ['admin'],
    auth: 'admin',
    tag,
    errors: ['conflict', 'not_found'],
    summary: 'Makes a team; names of teams and users are one list',
    status: 201,
    body: z.object({
      name: nameSchema,
      /** Its first admin; the caller himself unless said. */
      admin: nameSchema.optional(),
    }),
    response: teamDetailSchema,
  }),
  get: defineRoute({
    method: 'GET',
    path: '/v1/teams/:team',
    auth: 'user',
    tag,
    summary: 'A team with its members, for those in it',
    params,
    response: teamDetailSchema,
  }),
  setMember: defineRoute({
    method: 'PUT',
    path: '/v1/teams/:team/members/:user',
    audit: 'set member',
    auditShows: ['role'],
    auth: 'user',
    tag,
    errors: ['conflict'],
    summary: "Takes a user into a team, or changes his role (the team's admins)",
    params: memberParams,
    body: z.object({ role: teamRoleSchema.default('member') }),
    response: memberSchema,
  }),
  removeMember: defineRoute({
    method: 'DELETE',
    path: '/v1/teams/:team/members/:user',
    audit: 'remove member',
    auth: 'user',
    tag,
    errors: ['conflict'],
    summary: "Takes a user out of a team (the team's admins, or he himself)",
    params: memberParams,
  }),
  delete: defineRoute({
    method: 'DELETE',
    path: '/v1/teams/:team',
    audit: 'delete team',
    auth: 'user',
    tag,
    errors: ['conflict'],
    summary: 'Deletes a team that owns no project and no dataset (its admins)',
    params,
  }),
};
