import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import {
  type Client,
  datasetRoutes,
  floydRoutes,
  invitationRoutes,
  scheduleRoutes,
  snapshotRoutes,
  teamRoutes,
  tokenRoutes,
  userRoutes,
} from '@mycloud/shared';
import type { ServedRoute } from '../../src/http/route.js';
import type { Knock } from './knock.js';
import type { Seeded } from './seeded.js';

const hash = 'a'.repeat(64);
const password = 'long enough to be one';

/** Requests that are right in all but who sends them, about what lab owns. */
export async function rightRequests(seeded: Seeded): Promise<(route: ServedRoute) => Knock> {
  const lab = seeded.api.as(seeded.labToken);
  const ids = await idsOf(seeded, lab);
  // No job mounts them, so that they can be deleted.
  for (const dataset of ['unused', 'unused-too']) {
    await lab.call(datasetRoutes.create, { body: { name: dataset } });
    await lab.call(datasetRoutes.addVersion, {
      params: { owner: 'lab', dataset },
      body: { snapshotId: seeded.snapshotId },
    });
  }
  await seeded.api.admin.call(teamRoutes.create, { body: { name: 'crew', admin: 'lab' } });
  // Of the name that :name stands for.
  await lab.call(scheduleRoutes.create, {
    params: { owner: 'lab', project: 'dogsvscats' },
    body: { name: 'keras-3', cron: '0 3 * * *', timezone: 'UTC', job: { command: 'true' } },
  });
  const names = namesOf(seeded);
  const bodies = bodiesOf(seeded);
  const queries = queriesOf(seeded);
  const logins = await guests(seeded);
  return ({ method, path: pattern }) => {
    const title = `${method} ${pattern}`;
    const [, , noun = '', more = ''] = pattern.split('/');
    const id = ids[noun === 'v1' ? more : noun] ?? ids[`${noun}/${more}`] ?? randomUUID();
    const served = /\/(jupyter|serve)(\/|$)/.exec(pattern)?.[1];
    const number = served === 'jupyter' ? '4' : served === 'serve' ? '5' : names.number;
    const known: Record<string, string> = { ...names, number: number ?? '', id };
    // A version that nobody mounts can be deleted.
    if (method === 'DELETE' && pattern.includes('/:dataset')) known.dataset = 'unused';
    const named = pattern
      .replace(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(known[name] ?? ''))
      .replace('*', () => starOf(seeded, method, pattern));
    const query = queries[title];
    const body = /\/(login|session)$/.test(title) && method === 'POST' ? logins() : bodies[title];
    const headers: Record<string, string> =
      pattern === '/api/v1/upload/'
        ? {
            'upload-length': '10',
            'upload-metadata': `filename ${Buffer.from(ids.upload ?? '').toString('base64')}`,
          }
        : {};
    return { method, path: query ? `${named}?${query}` : named, body, headers };
  };
}

async function idsOf(seeded: Seeded, lab: Client): Promise<Record<string, string>> {
  const token = await lab.call(tokenRoutes.create, { body: { name: 'to be ended' } });
  const pack = await lab.call(snapshotRoutes.createPack, {
    body: { checksum: `sha256:${hash}`, size: 10, chunks: [{ hash, offset: 0, size: 10 }] },
  });
  const begun = await fetch(seeded.api.url + floydRoutes.upload.path, {
    method: 'POST',
    headers: { authorization: `Bearer ${seeded.labToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'lab/datasets/coming', module_type: 'data', data_type: 'gzip' }),
  });
  const upload = (await begun.json()) as { id: string };
  const { api } = seeded;
  const invitation = await api.admin.call(invitationRoutes.create, { body: {} });
  // By the database: an address is called before it is taken.
  const [channel, delivery] = [randomUUID(), randomUUID()];
  await api.deps.pool.query(
    `WITH lab AS (SELECT id FROM "User" WHERE name = 'lab'),
     channel AS (
       INSERT INTO "NotificationChannel" (id, "userId", address, statuses) SELECT $1, id, 'lab@example.org', '{failed}' FROM lab)
     INSERT INTO "Delivery" (id, "userId", address, event, state) SELECT $2, id, 'lab@example.org', 'test', 'delivered' FROM lab`,
    [channel, delivery],
  );
  return {
    ...{ snapshots: seeded.snapshotId, workers: seeded.workerId, tokens: token.id, packs: pack.id ?? '' },
    ...{ upload: upload.id, modules: upload.id, invitations: invitation.id },
    ...{ 'notifications/channels': channel, 'notifications/deliveries': delivery },
  };
}

/** A user for each login: guesses at one name are counted. */
async function guests({ api }: Seeded): Promise<() => { name: string; password: string }> {
  for (let i = 0; i < 3; i++)
    await api.admin.call(userRoutes.create, { body: { name: `guest${i}`, password } });
  let n = 0;
  return () => ({ name: `guest${n++ % 3}`, password });
}

const namesOf = ({ running }: Seeded): Record<string, string> => ({
  ...{ owner: 'lab', project: 'dogsvscats', dataset: 'dogsvscats', number: '1', user: 'eve' },
  ...{ jobId: running.jobId, name: 'keras-3', key: 'packs/x', secret: 'made-up', pass: 'made-up' },
  ...{ tunnelId: 'made-up', team: 'crew' },
});

function starOf({ snapshotId, ended }: Seeded, method: string, pattern: string): string {
  if (pattern === '/assets/*') return readdirSync(path.join(webDist, 'assets'))[0] ?? '';
  if (pattern === '/docs/static/*') return 'index.css';
  if (!pattern.startsWith('/api/v1/')) return '';
  if (/modules/.test(pattern)) return `lab/datasets/${method === 'DELETE' ? 'unused-too' : 'dogsvscats'}/1`;
  if (/datasets/.test(pattern)) return 'lab/datasets/dogsvscats';
  if (/projects/.test(pattern)) return 'lab/projects/dogsvscats';
  if (/resources/.test(pattern)) return snapshotId;
  if (/download/.test(pattern)) return `files/${ended.jobId}`;
  return 'lab/projects/dogsvscats/2';
}
const webDist = path.resolve(import.meta.dirname, '../../../web/dist');

const queriesOf = ({ snapshotId, workerId }: Seeded): Record<string, string> => ({
  'GET /v1/tensorboards': 'jobs=lab/projects/dogsvscats/2',
  'GET /v1/snapshots/:id/file': 'path=a.txt',
  'GET /v1/snapshots/:id/changes': `since=${snapshotId}`,
  'GET /v1/worker/commands': `workerId=${workerId}`,
  'GET /v1/store/:key': `expires=4000000000&signature=${'f'.repeat(64)}`,
  'PUT /v1/store/:key': `expires=4000000000&signature=${'f'.repeat(64)}&size=1&checksum=sha256:${hash}`,
  'GET /api/v1/experiments/': 'family_id=lab/projects/dogsvscats',
  'GET /api/v1/modules/': 'family_id=lab/datasets/dogsvscats',
  'GET /api/v1/resources/*': 'content=true',
  'GET /v1/projects/:owner/:project/jobs/:number/logs/search': 'text=epoch',
  'GET /v1/projects/:owner/:project/jobs/:number/logs/at': 'time=1700000000000',
  'GET /v1/projects/:owner/:project/jobs/:number/metrics/series': 'name=val_acc',
  'GET /v1/projects/:owner/:project/jobs/:number/metrics/buckets': 'name=val_acc',
});

function bodiesOf({ running, workerId, snapshotId }: Seeded): Record<string, unknown> {
  const held = { attempt: running.attempt, fence: running.fence };
  return {
    'POST /v1/users': { name: 'new', password },
    'PUT /v1/users/:user/limits': { jobs: null },
    'PUT /v1/users/:user/quota': { quotaBytes: null },
    'POST /v1/admin/gc': { dryRun: true },
    'POST /v1/tokens': { name: 'new' },
    'PATCH /v1/users/:user': { role: 'user' },
    'POST /v1/teams': { name: 'newteam' },
    'PUT /v1/teams/:team/members/:user': { role: 'member' },
    'POST /v1/invitations': {},
    'POST /v1/invitations/look': { secret: `inv_${'x'.repeat(40)}` },
    'POST /v1/invitations/accept': { secret: `inv_${'x'.repeat(40)}`, name: 'newcomer', password },
    'POST /v1/notifications/channels': { address: 'new@example.org' },
    'POST /v1/notifications/test': { address: 'new@example.org' },
    'POST /v1/notifications/secret': { address: 'https://example.org/hook' },
    'POST /v1/projects/:owner/:project/schedules': {
      cron: '0 4 * * *',
      timezone: 'UTC',
      job: { command: 'true' },
    },
    'PATCH /v1/projects/:owner/:project/schedules/:name': { paused: true },
    'POST /v1/projects': { name: 'new' },
    'POST /v1/datasets': { name: 'new' },
    'PATCH /v1/projects/:owner/:project': { description: 'changed' },
    'POST /v1/datasets/:owner/:dataset/versions': { snapshotId },
    'POST /v1/chunks/missing': { hashes: [hash], attempt: { jobId: running.jobId, ...held } },
    'POST /v1/packs': {
      ...{ checksum: `sha256:${hash}`, size: 10, chunks: [{ hash, offset: 0, size: 10 }] },
      attempt: { jobId: running.jobId, ...held },
    },
    'POST /v1/packs/:id/commit': { attempt: { jobId: running.jobId, ...held } },
    'POST /v1/snapshots/find': { hash, attempt: { jobId: running.jobId, ...held } },
    'POST /v1/snapshots/:id/locate': { hashes: [] },
    'POST /v1/snapshots/:id/folder': { path: 'a.txt' },
    'POST /v1/projects/:owner/:project/jobs': { command: 'true' },
    'PATCH /v1/projects/:owner/:project/jobs/:number': { note: 'changed' },
    'POST /v1/projects/:owner/:project/jobs/:number/restart': {},
    'PATCH /v1/workers/:id': { draining: false },
    'POST /v1/tensorboards': { jobs: 'lab/projects/dogsvscats/2' },
    'POST /v1/worker/register': {
      ...{ protocol: 1, name: 'box', version: '0.1.0', runner: 'process', machines: ['cpu'] },
      ...{ cores: 8, memoryBytes: 2 ** 34, gpus: 0 },
    },
    'POST /v1/worker/heartbeat': { workerId, attempts: [] },
    'POST /v1/worker/claim': { workerId, machines: ['none'] },
    'POST /v1/worker/jobs/:jobId/status': { ...held, status: 'running' },
    'POST /v1/worker/jobs/:jobId/logs': {
      ...held,
      firstSeq: 3,
      lines: [{ time: 1_700_000_000_000, source: 'job', text: 'a line' }],
    },
    'POST /v1/worker/jobs/:jobId/metrics': { ...held, batchId: randomUUID(), points: [] },
    'POST /v1/worker/jobs/:jobId/output': { ...held, snapshotId },
    'POST /v1/worker/jobs/:jobId/events': { ...held, type: 'warning', message: 'a word' },
    'POST /v1/worker/jobs/:jobId/finish': {
      ...{ ...held, reason: 'exit_zero', detail: '', exitCode: 0, outputSnapshotId: null, lastSeq: 3 },
    },
    'POST /v1/worker/tunnels/:tunnelId/refuse': { why: 'failed', detail: '' },
    'POST /api/v1/experiments/run_module/': {
      ...{ name: 'lab/projects/dogsvscats', module_id: 'none', command: 'true', mode: 'command' },
    },
    'POST /api/v1/experiments/restart/*': {},
    'POST /api/v1/datasets/*': { source: 'lab/projects/dogsvscats/2/output' },
    'POST /api/v1/modules/': { name: 'lab/datasets/dogsvscats', module_type: 'data', data_type: 'gzip' },
  };
}
