import { z } from 'zod';
import { idSchema, pageOf, pageQuery, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { notifyAddressSchema, notifyKinds } from './notify-address.js';
import { endStatuses } from './reasons.js';
import { defineRoute } from './route.js';

export const channelSchema = z.object({
  id: idSchema,
  kind: z.enum(notifyKinds),
  address: z.string(),
  /** owner/projects/name; null: all of your jobs. */
  project: z.string().nullable(),
  statuses: z.array(z.enum(endStatuses)),
  /** Since when no delivery got through. */
  failingSince: timeSchema.nullable(),
  disabledAt: timeSchema.nullable(),
  /** Why nothing is sent to it any more. */
  disabledReason: z.string().nullable(),
  createdAt: timeSchema,
});
export type NotificationChannel = z.infer<typeof channelSchema>;

export const deliverySchema = z.object({
  /** The same in each repeat: a receiver that has seen it drops it. */
  id: idSchema,
  event: z.enum(['job.ended', 'test']),
  kind: z.enum(notifyKinds),
  address: z.string(),
  /** lab/projects/dogsvscats/12; null: a test. */
  job: z.string().nullable(),
  state: z.enum(['pending', 'delivered', 'failed']),
  tries: z.number().int().nonnegative(),
  /** What the last try came to, such as `answered 503`. */
  answer: z.string().nullable(),
  createdAt: timeSchema,
  endedAt: timeSchema.nullable(),
  nextTryAt: timeSchema.nullable(),
});
export type Delivery = z.infer<typeof deliverySchema>;

const tag = 'notifications';
const base = '/v1/notifications';
const byId = z.object({ id: idSchema });
export const notificationRoutes = {
  channels: defineRoute({
    method: 'GET',
    path: `${base}/channels`,
    auth: 'user',
    tag,
    summary: 'Where you hear of the end of your jobs',
    response: z.object({ items: z.array(channelSchema) }),
  }),
  addChannel: defineRoute({
    method: 'POST',
    path: `${base}/channels`,
    audit: 'create notification channel',
    auth: 'user',
    tag,
    errors: ['not_found', 'conflict'],
    summary: 'Adds an address that hears of the end of your jobs, or of those of one project',
    status: 201,
    body: z.object({
      address: notifyAddressSchema,
      project: z.object({ owner: nameSchema, project: nameSchema }).nullable().default(null),
      statuses: z
        .array(z.enum(endStatuses))
        .min(1)
        .default([...endStatuses]),
    }),
    response: channelSchema,
  }),
  removeChannel: defineRoute({
    method: 'DELETE',
    path: `${base}/channels/:id`,
    audit: 'delete notification channel',
    auth: 'user',
    tag,
    summary: 'Removes an address, with what waits to be delivered to it',
    params: byId,
  }),
  enableChannel: defineRoute({
    method: 'POST',
    path: `${base}/channels/:id/enable`,
    audit: 'enable notification channel',
    auth: 'user',
    tag,
    summary: 'Sends to an address again that was disabled after long failure',
    params: byId,
    response: channelSchema,
  }),
  test: defineRoute({
    method: 'POST',
    path: `${base}/test`,
    audit: 'test notification channel',
    auth: 'user',
    tag,
    summary: 'Sends a test to an address, as the end of a job would be',
    status: 202,
    body: z.object({ address: notifyAddressSchema }),
    response: deliverySchema,
  }),
  deliveries: defineRoute({
    method: 'GET',
    path: `${base}/deliveries`,
    auth: 'user',
    tag,
    summary: 'What was sent, is to be sent again, or was given up, newest first',
    query: pageQuery.extend({ cursor: idSchema.optional(), state: deliverySchema.shape.state.optional() }),
    response: pageOf(deliverySchema),
  }),
  delivery: defineRoute({
    method: 'GET',
    path: `${base}/deliveries/:id`,
    auth: 'user',
    tag,
    summary: 'One delivery',
    params: byId,
    response: deliverySchema,
  }),
  /** Of an address, told or made anew. Whoever holds it can prove that a webhook comes from here. */
  secret: defineRoute({
    method: 'POST',
    path: `${base}/secret`,
    audit: 'read notification secret',
    auditShows: ['rotate'],
    auth: 'user',
    tag,
    summary:
      'Tells the secret that webhooks to an address are signed with; `rotate` makes new ones for all of yours',
    body: z.object({ address: notifyAddressSchema, rotate: z.boolean().default(false) }),
    response: z.object({ secret: z.string() }),
  }),
};
