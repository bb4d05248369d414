import { z } from 'zod';
import { bytesSchema, hashSchema, idSchema, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';

/** A worker writes for the owner of the job whose attempt it holds; the fence proves it. */
export const attemptProof = z.object({
  jobId: idSchema,
  attempt: z.number().int().positive(),
  fence: z.number().int().positive(),
});
export type AttemptProof = z.infer<typeof attemptProof>;

/** For whom bytes are stored: oneself unless said. */
const forWhom = {
  attempt: attemptProof.optional(),
  /** A team in whose name the caller may upload. */
  owner: nameSchema.optional(),
};

export const maxHashesPerCall = 10_000;
/** A pack is at most this long; chunks are never longer than a pack. */
export const maxPackBytes = 64 * 1024 * 1024;

export const snapshotSchema = z.object({
  id: idSchema,
  hash: hashSchema,
  files: z.number().int().nonnegative(),
  bytes: bytesSchema,
  /** Of its chunks, each counted once: what it would take up alone. */
  storedBytes: bytesSchema,
  createdAt: timeSchema,
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** How to send or get bytes at the store, without the api in between when the store is S3. */
export const signedRequest = z.object({
  method: z.enum(['GET', 'PUT']),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
});
export type SignedRequest = z.infer<typeof signedRequest>;

export const packChunk = z.object({
  hash: hashSchema,
  offset: bytesSchema,
  size: z.number().int().positive(),
});

/**
 * What a pack's bytes are checked against on their way: `crc32:` or `sha256:` and hexadecimal digits. It guards against
 * a line that garbles them; what a chunk is, its own SHA-256 says, which every reader checks.
 */
export const checksumSchema = z
  .string()
  .regex(/^(crc32:[0-9a-f]{8}|sha256:[0-9a-f]{64})$/, 'crc32: and 8, or sha256: and 64 hexadecimal digits');

export const fileEntrySchema = z.object({
  name: z.string(),
  path: z.string(),
  type: z.enum(['file', 'dir', 'symlink']),
  /** Bytes; for a folder, of all files below it. */
  size: bytesSchema,
  /** Files below a folder; 1 for a file. */
  files: z.number().int().nonnegative(),
});
export type FileEntry = z.infer<typeof fileEntrySchema>;

/** One path that two trees don't agree on. Sizes are bytes; null where there is no such path. */
export const treeChangeSchema = z.object({
  path: z.string(),
  type: z.enum(['file', 'dir', 'symlink']),
  change: z.enum(['added', 'removed', 'changed']),
  before: bytesSchema.nullable(),
  after: bytesSchema.nullable(),
});
export type TreeChange = z.infer<typeof treeChangeSchema>;
const changeTotals = z.object({ paths: z.number().int().nonnegative(), bytes: bytesSchema });

const tag = 'snapshots';
const byId = z.object({ id: idSchema });
export const snapshotRoutes = {
  missing: defineRoute({
    method: 'POST',
    path: '/v1/chunks/missing',
    audit: false,
    auth: 'user_or_worker',
    tag,
    summary: 'Which of these chunks the owner has not stored yet',
    errors: ['stale_fence', 'not_found'],
    body: z.object({ hashes: z.array(hashSchema).max(maxHashesPerCall), ...forWhom }),
    response: z.object({ missing: z.array(hashSchema) }),
  }),
  createPack: defineRoute({
    method: 'POST',
    path: '/v1/packs',
    audit: false,
    auth: 'user_or_worker',
    tag,
    summary: 'Announces a pack of chunks and answers where to PUT its bytes',
    errors: ['quota_exceeded', 'stale_fence', 'not_found'],
    status: 201,
    body: z.object({
      checksum: checksumSchema,
      size: z.number().int().positive().max(maxPackBytes),
      chunks: z.array(packChunk).min(1).max(maxHashesPerCall),
      /** Announce it only when the owner has none of its chunks; otherwise `missing` says which to send. */
      onlyWhole: z.boolean().optional(),
      ...forWhom,
    }),
    /**
     * id and upload are null when nothing was announced: the owner has its chunks, but for those in `missing`, which is
     * empty for a pack that was announced: its chunks are known to who sent them.
     */
    response: z.object({
      id: idSchema.nullable(),
      upload: signedRequest.nullable(),
      missing: z.array(hashSchema),
    }),
  }),
  commitPack: defineRoute({
    method: 'POST',
    path: '/v1/packs/:id/commit',
    audit: false,
    auth: 'user_or_worker',
    tag,
    summary:
      'Says that the bytes are sent; the store checks length and checksum before the chunks count as stored',
    errors: ['quota_exceeded', 'stale_fence'],
    params: byId,
    body: z.object(forWhom),
  }),
  /** The body is the manifest, gzipped; its SHA-256 (unpacked) is the snapshot's name. */
  create: defineRoute({
    method: 'POST',
    path: '/v1/snapshots',
    audit: false,
    auth: 'user_or_worker',
    tag,
    summary: 'Commits a manifest whose chunks are all stored',
    errors: ['conflict', 'quota_exceeded', 'stale_fence', 'not_found'],
    status: 201,
    query: z.object({
      jobId: idSchema.optional(),
      attempt: z.coerce.number().int().positive().optional(),
      fence: z.coerce.number().int().positive().optional(),
      owner: nameSchema.optional(),
    }),
    response: snapshotSchema,
    raw: { request: 'application/gzip' },
  }),
  find: defineRoute({
    method: 'POST',
    path: '/v1/snapshots/find',
    audit: false,
    auth: 'user_or_worker',
    tag,
    summary: "The owner's snapshot of this name, if something keeps it: then all its chunks are stored",
    errors: ['stale_fence', 'not_found'],
    body: z.object({ hash: hashSchema, ...forWhom }),
    response: z.object({ snapshot: snapshotSchema.nullable() }),
  }),
  get: defineRoute({
    method: 'GET',
    path: '/v1/snapshots/:id',
    auth: 'user_or_worker',
    tag,
    summary: 'One snapshot',
    params: byId,
    response: snapshotSchema,
  }),
  manifest: defineRoute({
    method: 'GET',
    path: '/v1/snapshots/:id/manifest',
    auth: 'user_or_worker',
    tag,
    summary: 'Its manifest, gzipped',
    params: byId,
    raw: { response: 'application/gzip' },
  }),
  locate: defineRoute({
    method: 'POST',
    path: '/v1/snapshots/:id/locate',
    audit: false,
    auth: 'user_or_worker',
    tag,
    summary: 'Where chunks of it lie: packs by signed URL, for Range requests',
    params: byId,
    body: z.object({ hashes: z.array(hashSchema).max(maxHashesPerCall) }),
    response: z.object({
      packs: z.array(z.object({ id: idSchema, size: z.number().int(), download: signedRequest })),
      /** pack: index into packs. */
      chunks: z.array(packChunk.extend({ pack: z.number().int().nonnegative() })),
    }),
  }),
  files: defineRoute({
    method: 'GET',
    path: '/v1/snapshots/:id/files',
    auth: 'user',
    tag,
    summary: 'What a folder of it holds, one level',
    params: byId,
    query: z.object({ path: z.string().max(4096).default('') }),
    response: z.object({ items: z.array(fileEntrySchema) }),
  }),
  file: defineRoute({
    method: 'GET',
    path: '/v1/snapshots/:id/file',
    auth: 'user',
    tag,
    summary: 'One file, whole or by Range',
    params: byId,
    query: z.object({ path: z.string().min(1).max(4096) }),
    raw: { response: 'application/octet-stream' },
  }),
  /** A part at a time, in the order of the paths: go on with `from` at `next` until it is null. */
  changes: defineRoute({
    method: 'GET',
    path: '/v1/snapshots/:id/changes',
    auth: 'user',
    tag,
    summary: 'What it has more, less or other than another snapshot',
    params: byId,
    query: z.object({
      since: idSchema,
      from: z.coerce.number().int().nonnegative().default(0),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
    }),
    /** bytes: of what was added, of what was removed, and of what changed as it is now. */
    response: z.object({
      added: changeTotals,
      removed: changeTotals,
      changed: changeTotals,
      items: z.array(treeChangeSchema),
      next: z.number().int().nullable(),
    }),
  }),
  folder: defineRoute({
    method: 'POST',
    path: '/v1/snapshots/:id/folder',
    audit: false,
    auth: 'user',
    tag,
    summary: 'Makes a folder of it a snapshot of its own; no byte is copied',
    status: 201,
    params: byId,
    body: z.object({ path: z.string().min(1).max(4096) }),
    response: snapshotSchema,
  }),
  archive: defineRoute({
    method: 'GET',
    path: '/v1/snapshots/:id/archive',
    auth: 'user',
    tag,
    summary: 'All of it, or a folder, as one tar or zip',
    params: byId,
    query: z.object({
      format: z.enum(['tar', 'zip']).default('tar'),
      path: z.string().max(4096).default(''),
    }),
    raw: { response: 'application/octet-stream' },
  }),
};

export const storeRoutes = {
  put: defineRoute({
    method: 'PUT',
    path: '/v1/store/:key',
    auth: 'signed',
    tag: 'store',
    summary: 'Takes an object of the directory store (signed URL)',
    params: z.object({ key: z.string() }),
    query: z.object({
      expires: z.coerce.number().int(),
      size: z.coerce.number().int(),
      checksum: checksumSchema,
      signature: z.string(),
    }),
    raw: { request: 'application/octet-stream' },
  }),
  get: defineRoute({
    method: 'GET',
    path: '/v1/store/:key',
    auth: 'signed',
    tag: 'store',
    summary: 'Gives an object of the directory store, whole or by Range (signed URL)',
    params: z.object({ key: z.string() }),
    query: z.object({ expires: z.coerce.number().int(), signature: z.string() }),
    raw: { response: 'application/octet-stream' },
  }),
};
