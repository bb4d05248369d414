import { z } from 'zod';
import { idSchema, pageOf, pageQuery, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';

export const roleSchema = z.enum(['user', 'admin']);
export const userSchema = z.object({
  id: idSchema,
  name: nameSchema,
  role: roleSchema,
  /** He may not log in; what he owns stays. */
  disabled: z.boolean(),
  createdAt: timeSchema,
});
export type User = z.infer<typeof userSchema>;

export const passwordSchema = z.string().min(8, 'at least 8 characters').max(200);

/** A token as lists show it: never its secret. */
export const tokenSchema = z.object({
  id: idSchema,
  name: z.string(),
  kind: z.enum(['user', 'worker']),
  last4: z.string().length(4),
  createdAt: timeSchema,
  expiresAt: timeSchema.nullable(),
  lastUsedAt: timeSchema.nullable(),
});
export type Token = z.infer<typeof tokenSchema>;

/** What a user may run at the same time; null: any number. */
export const runningLimitsSchema = z.object({
  jobs: z.number().int().min(0).max(1_000_000).nullable(),
  gpus: z.number().int().min(0).max(1_000_000).nullable(),
});
export type RunningLimits = z.infer<typeof runningLimitsSchema>;

const tag = 'users';
export const userRoutes = {
  login: defineRoute({
    method: 'POST',
    path: '/v1/login',
    audit: 'log in',
    auth: 'none',
    tag,
    summary: 'Changes a name and password for a token',
    errors: ['unauthenticated', 'too_many_requests'],
    body: z.object({ name: nameSchema, password: z.string().max(200) }),
    response: z.object({ token: z.string(), user: userSchema }),
  }),
  me: defineRoute({
    method: 'GET',
    path: '/v1/me',
    auth: 'user',
    tag,
    summary: 'Who the token stands for',
    response: userSchema,
  }),
  list: defineRoute({
    method: 'GET',
    path: '/v1/users',
    auth: 'admin',
    tag,
    summary: 'All users',
    query: pageQuery,
    response: pageOf(userSchema),
  }),
  /** Further jobs wait in the line and say why. What is left out stays as it is. */
  setLimits: defineRoute({
    method: 'PUT',
    path: '/v1/users/:user/limits',
    audit: 'set limits',
    auditShows: ['jobs', 'gpus'],
    auth: 'admin',
    tag,
    summary: 'Limits how many jobs and GPUs a user runs at the same time; null: any number',
    params: z.object({ user: nameSchema }),
    body: runningLimitsSchema.partial(),
    response: runningLimitsSchema,
  }),
  update: defineRoute({
    method: 'PATCH',
    path: '/v1/users/:user',
    audit: 'change user',
    auditShows: ['role', 'disabled'],
    auth: 'admin',
    tag,
    errors: ['conflict'],
    summary: 'Makes a user an admin or not, keeps one out or lets him in again, or gives him a new password',
    params: z.object({ user: nameSchema }),
    body: z.object({ role: roleSchema, disabled: z.boolean(), password: passwordSchema }).partial(),
    response: userSchema,
  }),
  create: defineRoute({
    method: 'POST',
    path: '/v1/users',
    audit: 'create user',
    auditShows: ['role'],
    auth: 'admin',
    tag,
    summary: 'Adds a user',
    errors: ['conflict'],
    status: 201,
    body: z.object({ name: nameSchema, password: passwordSchema, role: roleSchema.default('user') }),
    response: userSchema,
  }),
};

export const tokenRoutes = {
  list: defineRoute({
    method: 'GET',
    path: '/v1/tokens',
    auth: 'user',
    tag: 'tokens',
    summary: 'Your tokens',
    response: z.object({ items: z.array(tokenSchema) }),
  }),
  create: defineRoute({
    method: 'POST',
    path: '/v1/tokens',
    audit: 'create token',
    auditShows: ['kind', 'expiresInDays'],
    auth: 'user',
    tag: 'tokens',
    summary: 'Makes a token; its secret is shown this once (worker tokens: admins only)',
    example: { body: { name: 'scripts', kind: 'user' } },
    status: 201,
    body: z.object({
      name: z.string().min(1).max(100),
      kind: z.enum(['user', 'worker']).default('user'),
      expiresInDays: z.number().int().min(1).max(3650).optional(),
    }),
    response: tokenSchema.extend({ token: z.string() }),
  }),
  revoke: defineRoute({
    method: 'DELETE',
    path: '/v1/tokens/:id',
    audit: 'revoke token',
    auth: 'user',
    tag: 'tokens',
    summary: 'Ends a token at once',
    params: z.object({ id: idSchema }),
  }),
};
