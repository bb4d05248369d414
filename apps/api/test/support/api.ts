import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient, tokenRoutes, userRoutes } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { startPostgres } from '../../../../test/support/postgres.js';
import { buildApi } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { openDeps } from '../../src/open-deps.js';

/** The api as main.ts makes it, listening on a free port, with a folder of its own. */
export interface RunningApi {
  url: string;
  app: FastifyInstance;
  deps: Deps;
  home: string;
  /** The first user, an admin. */
  admin: Client;
  /** Makes a user and logs it in. */
  user(name: string): Promise<Client>;
  /** A client with this token, or with none. */
  as(token?: string): Client;
  /** A client of a worker whose token the admin made. */
  workerToken(): Promise<string>;
  close(): Promise<void>;
}

/** Of the first user. */
export const adminToken = 'myc_the-first-token-of-all-tests';

/** The same on a Postgres of its own, which ends with it. */
export async function startApiAlone(env: Record<string, string> = {}): Promise<RunningApi> {
  const postgres = await startPostgres();
  const api = await startApi((await postgres.createDatabase()).url, env);
  return {
    ...api,
    async close() {
      await api.close();
      await postgres.stop();
    },
  };
}

export async function startApi(databaseUrl: string, env: Record<string, string> = {}): Promise<RunningApi> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-api-'));
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    MYCLOUD_HOME: home,
    MYCLOUD_BOOTSTRAP_USER: 'root',
    MYCLOUD_BOOTSTRAP_TOKEN: adminToken,
    MYCLOUD_LOG_LEVEL: 'silent',
    ...env,
  });
  const { deps, close } = await openDeps(config, pino({ level: config.logLevel }));
  const app = await buildApi(deps);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const as = (token?: string) => createClient({ url, token });
  const admin = as(adminToken);
  return {
    url,
    app,
    deps,
    home,
    admin,
    as,
    async user(name) {
      const password = randomBytes(12).toString('hex');
      await admin.call(userRoutes.create, { body: { name, password } });
      const { token } = await as().call(userRoutes.login, { body: { name, password } });
      return as(token);
    },
    async workerToken() {
      return (await admin.call(tokenRoutes.create, { body: { name: 'w', kind: 'worker' } })).token;
    },
    async close() {
      await app.close();
      await close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
