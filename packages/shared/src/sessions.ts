import { z } from 'zod';
import { timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';
import { userSchema } from './users.js';

const tag = 'sessions';
/** The page's logins: a session is a cookie that the page's scripts can't read. */
export const sessionRoutes = {
  create: defineRoute({
    method: 'POST',
    path: '/v1/session',
    audit: 'log in',
    auth: 'none',
    tag,
    summary: 'Changes a name and password for a session cookie',
    errors: ['unauthenticated', 'too_many_requests'],
    body: z.object({ name: nameSchema, password: z.string().max(200) }),
    response: userSchema,
  }),
  end: defineRoute({
    method: 'DELETE',
    path: '/v1/session',
    audit: 'log out',
    auth: 'user',
    tag,
    summary: 'Logs the page out: its session ends at once',
    errors: ['bad_request'],
  }),
  createLink: defineRoute({
    method: 'POST',
    path: '/v1/session/links',
    audit: 'create login link',
    auth: 'user',
    tag,
    summary: 'Makes a link that opens the page logged in as you: good once, for a few minutes',
    status: 201,
    response: z.object({
      /** Path and query, to be put behind the server's address. */
      path: z.string(),
      expiresAt: timeSchema,
    }),
  }),
  open: defineRoute({
    method: 'GET',
    path: '/open/:secret',
    audit: 'log in',
    auth: 'none',
    tag,
    summary: 'Takes such a link: sets the session cookie and leads to the page',
    params: z.object({ secret: z.string().max(200) }),
    query: z.object({ to: z.string().max(1000).optional() }),
    raw: { response: 'text/html' },
  }),
};
