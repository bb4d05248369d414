import { z } from 'zod';
import { idSchema, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';
import { teamRoleSchema } from './teams.js';
import { passwordSchema, roleSchema, userSchema } from './users.js';

/** What an invitation makes of whoever takes it. */
const offer = {
  role: roleSchema,
  team: nameSchema.nullable(),
  teamRole: teamRoleSchema.nullable(),
};

export const invitationSchema = z.object({
  id: idSchema,
  ...offer,
  /** For whom it is, in the words of who invited. */
  note: z.string(),
  invitedBy: nameSchema,
  /** open, accepted, revoked or expired */
  state: z.enum(['open', 'accepted', 'revoked', 'expired']),
  /** The user it made. */
  acceptedBy: nameSchema.nullable(),
  createdAt: timeSchema,
  expiresAt: timeSchema,
});
export type Invitation = z.infer<typeof invitationSchema>;

const secretSchema = z.string().min(1).max(200);
const tag = 'invitations';
export const invitationRoutes = {
  list: defineRoute({
    method: 'GET',
    path: '/v1/invitations',
    auth: 'admin',
    tag,
    summary: 'The invitations of the last months, newest first',
    response: z.object({ items: z.array(invitationSchema) }),
  }),
  create: defineRoute({
    method: 'POST',
    path: '/v1/invitations',
    audit: 'create invitation',
    auditShows: ['role', 'team', 'teamRole', 'note', 'expiresInDays'],
    auth: 'admin',
    tag,
    errors: ['not_found', 'conflict'],
    summary: 'Makes a link by which somebody becomes a user, once; its secret is shown this once',
    status: 201,
    body: z.object({
      role: roleSchema.default('user'),
      team: nameSchema.optional(),
      teamRole: teamRoleSchema.default('member'),
      note: z.string().max(200).default(''),
      expiresInDays: z.number().min(0.01).max(90).default(7),
    }),
    response: invitationSchema.extend({
      secret: secretSchema,
      /** Path of the page that takes it, to be put behind the server's address; the secret, behind `#`, reaches no log. */
      path: z.string(),
    }),
  }),
  revoke: defineRoute({
    method: 'DELETE',
    path: '/v1/invitations/:id',
    audit: 'revoke invitation',
    auth: 'admin',
    tag,
    errors: ['conflict'],
    summary: 'Ends an invitation that nobody has taken yet',
    params: z.object({ id: idSchema }),
  }),
  look: defineRoute({
    method: 'POST',
    path: '/v1/invitations/look',
    audit: false,
    auth: 'none',
    tag,
    errors: ['not_found', 'conflict', 'too_many_requests'],
    summary: 'What an invitation offers, for whoever has its secret',
    body: z.object({ secret: secretSchema }),
    response: z.object({ ...offer, invitedBy: nameSchema, expiresAt: timeSchema }),
  }),
  accept: defineRoute({
    method: 'POST',
    path: '/v1/invitations/accept',
    audit: 'accept invitation',
    auth: 'none',
    tag,
    errors: ['not_found', 'conflict', 'too_many_requests'],
    summary: 'Takes an invitation: makes the user, who then logs in by name and password',
    status: 201,
    body: z.object({ secret: secretSchema, name: nameSchema, password: passwordSchema }),
    response: userSchema,
  }),
};
