import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, floydRoutes as contract } from '@mycloud/shared';
import type { Entry, Tree } from '@mycloud/snapshots';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { findDataset, findVersion } from '../datasets/access.js';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { serve } from '../http/route.js';
import { findJobById } from '../jobs/access.js';
import { one } from '../jobs/sql.js';
import { viewJob } from '../jobs/view.js';
import { readable, type SnapshotRow } from '../snapshots/access.js';
import { archive, entriesBelow } from '../snapshots/archive.js';
import { clean, findFile, listFolder, readFile } from '../snapshots/files.js';
import { openManifests } from '../snapshots/snapshots.js';
import { findUpload } from '../uploads/uploads.js';
import { floydLog } from './log.js';
import { isId, readName } from './names.js';

/** Entries of one folder that a listing names; the client says how many were left out. */
const listedFiles = 10_000;

/** The old floyd's words for bytes: a resource is a log (by its job), a snapshot, or an upload that becomes one. */
export function resourceRoutes(app: FastifyInstance, deps: Deps): void {
  const manifestOf = openManifests(deps);

  serve(app, contract.resource, async ({ params, query, caller, reply }) => {
    const [id = '', ...path] = params['*'].split('/');
    if (!isId(id)) throw new AppError('not_found', `there is no resource "${id}"`);
    if (query.content === undefined) {
      if (path.join('/') !== 'state')
        throw new AppError('not_found', `there is no resource "${params['*']}"`);
      return reply.type('application/json').send(JSON.stringify(await stateOf(deps, caller, id)));
    }
    if (await isJob(deps, id)) {
      const job = await findJobById(deps, caller, id, 'read');
      reply.type('text/plain; charset=utf-8').header('x-content-type-options', 'nosniff');
      return floydLog(deps, job);
    }
    const snapshot = await readable(deps, caller, id);
    const tree = await manifestOf(snapshot);
    if (query.download !== undefined) return sendTar(deps, reply, snapshot, tree);
    return sendPath(deps, reply, snapshot, tree, path.join('/'));
  });

  serve(app, contract.artifacts, async ({ params, query, caller, reply }) => {
    const snapshot = await artifact(deps, caller, params['*']);
    return sendTar(deps, reply, snapshot, entriesBelow(await manifestOf(snapshot), query.path));
  });
}

const isJob = async ({ pool }: Deps, id: string): Promise<boolean> =>
  (await one(pool, 'SELECT 1 FROM "Job" WHERE id = $1', [id])) !== undefined;

/** The client asks every 10 seconds, and waits 5 for an answer: one that is held back for a while spares it most of them. */
const heldMs = 4000;
const lookMs = 200;

/** `valid` is what the client waits for, without an end; it stops at an error. @throws AppError conflict with why it failed */
async function stateOf(deps: Deps, caller: UserPrincipal, id: string): Promise<string> {
  const known = await one(deps.pool, 'SELECT 1 FROM "Upload" WHERE id = $1', [id]);
  if (!known) {
    await readable(deps, caller, id);
    return 'valid';
  }
  for (const until = Date.now() + heldMs; ; await sleep(lookMs)) {
    const { state, detail } = await findUpload(deps, caller, id);
    if (state === 'failed') throw new AppError('conflict', detail);
    if (state === 'done') return 'valid';
    if (state !== 'unpacking' || Date.now() > until) return state;
  }
}

function sendTar(
  deps: Deps,
  reply: FastifyReply,
  snapshot: SnapshotRow,
  entries: Iterable<Entry>,
): FastifyReply {
  return reply
    .type('application/x-tar')
    .header('x-content-type-options', 'nosniff')
    .send(archive(deps, snapshot, entries, 'tar'));
}

/** A folder's list, or a file's bytes. */
function sendPath(
  deps: Deps,
  reply: FastifyReply,
  snapshot: SnapshotRow,
  tree: Tree,
  path: string,
): FastifyReply {
  if (isFolder(tree, clean(path))) {
    const all = listFolder(tree, path);
    const files = all
      .slice(0, listedFiles)
      .map(({ name, type }) => ({ name, type: type === 'dir' ? 'directory' : 'file' }));
    const counts = { skipped_files: all.length - files.length, total_files: all.length };
    return reply.type('application/json').send({ files, ...counts });
  }
  const file = findFile(tree, path);
  return reply
    .type('application/octet-stream')
    .header('content-security-policy', 'sandbox')
    .header('x-content-type-options', 'nosniff')
    .header('content-length', file.size)
    .send(Readable.from(readFile(deps, snapshot.ownerId, file, 0, file.size - 1), { objectMode: false }));
}

function isFolder(tree: Tree, path: string): boolean {
  if (path === '') return true;
  for (let index = 0; index < tree.count; index++) if (tree.path(index) === path) return tree.isDir(index);
  return false;
}

/** `code/JOB`, `files/JOB` or `data/NAME`, whose folders are downloaded. */
async function artifact(deps: Deps, caller: UserPrincipal, name: string): Promise<SnapshotRow> {
  const [kind, ...rest] = name.split('/');
  const id = rest.join('/');
  if (kind === 'data') {
    const parts = id.split('/');
    const number = Number(parts.pop());
    const at = readName(parts.join('/'), 'datasets', caller);
    const dataset = await findDataset(deps, caller, { owner: at.owner, dataset: at.name }, 'read');
    return readable(deps, caller, (await findVersion(deps, dataset, number)).snapshotId);
  }
  if ((kind !== 'code' && kind !== 'files') || !isId(id)) {
    throw new AppError('not_found', `there is nothing to download at "${name}"`);
  }
  const job = await viewJob(deps, (await findJobById(deps, caller, id, 'read')).id);
  const snapshotId = kind === 'code' ? job.codeSnapshotId : job.outputSnapshotId;
  if (!snapshotId) throw new AppError('not_found', `${job.name} has no ${kind}`);
  return readable(deps, caller, snapshotId);
}
