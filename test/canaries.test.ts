import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createClient, type Job, jobRoutes, logRoutes, userRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carrying } from './support/processes.js';
import { eventually, startServer, type TestServer } from './support/server.js';

const password = 'canary-password-of-ann';
const madeUp = 'myc_canary-of-a-token-that-is-not-good';

describe.runIf(process.platform === 'linux')('the secrets of a server', { timeout: 240_000 }, () => {
  let server: TestServer;
  /** By name: what must be found nowhere but where it is kept. */
  let secrets: Record<string, string>;
  let annToken: string;

  beforeAll(async () => {
    server = await startServer();
    const kept = JSON.parse(readFileSync(path.join(server.home, 'secrets.json'), 'utf8'));
    const { token, workerToken, databasePassword, queuePassword } = kept as Record<string, string>;
    const admin = await server.client();
    await admin.call(userRoutes.create, { body: { name: 'ann', password } });
    const login = await createClient({ url: server.url }).call(userRoutes.login, {
      body: { name: 'ann', password },
    });
    annToken = login.token;
    secrets = {
      ...{ token: token!, workerToken: workerToken!, databasePassword: databasePassword! },
      ...{ queuePassword: queuePassword!, password, annToken, madeUp },
    };
  }, 120_000);
  afterAll(async () => {
    await server.remove();
  });

  const named = (text: string | Buffer): string[] =>
    Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));

  it('are in no process list, no environment of a job, no log and no file but their own', async () => {
    const cwd = await server.project('canaries', {});
    const run = (command: string) =>
      server.json<Job>(['run', '--var', 'OWN=canary-of-its-owner', command], { cwd });
    const seen = await run('env; echo waiting; sleep 100');
    const failing = await run('echo failing >&2; exit 3');
    await server.ended(failing);
    const client = await server.client();
    const at = { params: { owner: seen.owner, project: seen.project, number: seen.number } };
    const log = async () => {
      const { lines } = await client.call(logRoutes.range, at);
      return lines.map((line) => line.text).join('\n');
    };
    await eventually('the job to say its environment', async () => (await log()).includes('waiting'));
    // A job may say its own variables; whose they are says them, and the answers of the api don't.
    expect(await log()).toContain('OWN=canary-of-its-owner');
    expect(JSON.stringify(await client.call(jobRoutes.get, at))).not.toContain('canary-of-its-owner');
    expect(named(await log())).toEqual([]);

    const processes = carrying(server.home);
    expect(processes.length).toBeGreaterThan(2);
    const lists = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readOr(`/proc/${pid}/cmdline`));
    expect(lists.flatMap((list) => named(list))).toEqual([]);

    await client.call(jobRoutes.stop, at);
    await server.ended(seen);
  });

  it('are in no answer to what goes wrong, whatever was sent', async () => {
    const wrong = [
      fetch(`${server.url}/v1/me`, { headers: { authorization: `Bearer ${madeUp}` } }),
      fetch(`${server.url}/v1/me?token=${secrets.token}`),
      fetch(`${server.url}/v1/login`, { method: 'POST', body: password }),
      fetch(`${server.url}/v1/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'nobody', password, extra: annToken }),
      }),
      fetch(`${server.url}/v1/users`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secrets.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Wrong Name', password, role: 'king' }),
      }),
      fetch(`${server.url}/open/${madeUp}`, { redirect: 'manual' }),
    ];
    for (const answer of await Promise.all(wrong)) {
      const headers = JSON.stringify([...answer.headers]);
      expect(named(headers + (await answer.text())), `${answer.status} ${answer.url}`).toEqual([]);
    }
  });

  it('were written nowhere: neither to a log nor into the database', async () => {
    await server.stop();
    const found = readdirSync(server.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => path.basename(file) !== 'secrets.json')
      .flatMap((file) => named(readFileSync(file)).map((name) => `${name} in ${file}`));
    expect(found).toEqual([]);
  });
});

/** A process that has ended meanwhile tells nothing. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
