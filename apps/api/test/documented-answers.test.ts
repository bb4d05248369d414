import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { createClient, userRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from '../../../test/support/require.js';
import { type Seeded, startSeededApi } from './support/seeded.js';

const program = wantProgram('schemathesis');
/** Drawn requests an operation, beside those that its description alone suggests. `npm run fuzz` sets more. */
const examples = process.env.MYCLOUD_FUZZ_EXAMPLES ?? '4';
const seed = process.env.MYCLOUD_FUZZ_SEED ?? '1';
/** An ordinary user reaches less than an admin: that he is let loose too is left to `npm run fuzz`. */
const full = process.env.MYCLOUD_FUZZ_EXAMPLES !== undefined;
const minutes = 60_000;

/** What is asked of every answer: no 500, and a status, type, headers and body that the description names. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
/** They have no end, or are no HTTP: routes.test.ts calls them. */
const endless = '/stream$|/exec$|/worker/commands$|/worker/tunnels/\\{tunnelId\\}$';

describe.skipIf(!program)('whatever is sent to the api', () => {
  let seeded: Seeded;
  let sent = 0;
  beforeAll(async () => {
    seeded = await startSeededApi();
  });
  afterAll(async () => {
    console.log(`schemathesis sent ${sent} requests, seed ${seed}`);
    await seeded.close();
  });

  /** Lets schemathesis loose on a part of the routes. @returns its exit code and what it said */
  async function attack(token: string, parts: string[]): Promise<{ code: number | null; said: string }> {
    const { api, running, workerId, snapshotId } = seeded;
    const { jobId, attempt, fence } = running;
    const known = {
      path: { owner: 'lab', project: 'dogsvscats', dataset: 'dogsvscats', number: 1, user: 'eve', jobId },
      ids: { snapshots: snapshotId, workers: workerId },
      body: { workerId, attempt, fence, snapshotId },
    };
    const args = [
      ...['run', `${api.url}/docs/json`, '-u', api.url, '-H', `Authorization: Bearer ${token}`],
      ...['-c', checks.join(','), '--phases', 'examples,coverage,fuzzing', '--max-redirects', '0'],
      ...['--continue-on-failure', '--warnings', 'off', '--request-timeout', '30', '--seed', seed],
      ...['-n', examples, ...parts],
    ];
    const child = spawn(program!, args, {
      env: {
        PATH: process.env.PATH,
        HOME: api.home,
        LANG: 'C.UTF-8',
        NO_COLOR: '1',
        PYTHONPATH: path.join(import.meta.dirname, 'support'),
        PYTHONDONTWRITEBYTECODE: '1',
        SCHEMATHESIS_HOOKS: 'schemathesis_hooks',
        MYCLOUD_SEEDED: JSON.stringify(known),
      },
      cwd: api.home,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const said = await text(child.stdout);
    sent += Number(/(\d+) generated/.exec(said)?.[1] ?? 0);
    return { code: await closed, said };
  }

  const seeing = ['--exclude-method', 'DELETE', '--exclude-path-regex', `^/v1/worker/|${endless}`];
  const working = ['--include-path-regex', '^/v1/(worker/|chunks|packs|snapshots)'];
  const user = ['an ordinary user', 'user', 'labToken', seeing] as const;
  it.each([
    ...(full ? [user] : []),
    ['an admin', 'admin', 'labToken', seeing],
    ['a worker', 'admin', 'workerToken', [...working, '--exclude-path-regex', endless]],
    // Last: it leaves nothing to ask for.
    ['an admin who deletes', 'admin', 'labToken', ['--include-method', 'DELETE']],
  ] as const)(
    'by %s, its description names the answer',
    { timeout: 20 * minutes },
    async (_, role, token, parts) => {
      const root = createClient({ url: seeded.api.url, token: seeded.rootToken });
      await root.call(userRoutes.update, { params: { user: 'lab' }, body: { role } });
      const before = sent;
      const { code, said } = await attack(seeded[token], [...parts]);
      expect(code, said).toBe(0);
      expect(sent - before).toBeGreaterThan(100);
    },
  );
});
