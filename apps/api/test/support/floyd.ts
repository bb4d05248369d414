import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, tokenRoutes } from '@mycloud/shared';
import { startPostgres } from '../../../../test/support/postgres.js';
import { type RunningApi, startApi } from './api.js';

interface FloydUser {
  client: Client;
  key: string;
}

/** Two apis of one deployment (one database, one store, 50 MB a user), and two users of the old floyd. */
export interface FloydWorld {
  api: RunningApi;
  other: RunningApi;
  home: string;
  ann: FloydUser;
  bob: FloydUser;
  /** Asks the first api as the client does, below /api/v1. */
  ask(key: string, url: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export async function startFloydWorld(): Promise<FloydWorld> {
  const postgres = await startPostgres();
  const { url } = await postgres.createDatabase();
  const home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-floyd-'));
  const env = { MYCLOUD_HOME: home, MYCLOUD_QUOTA_BYTES: '50000000' };
  const api = await startApi(url, env);
  const other = await startApi(url, env);
  const login = async (name: string): Promise<FloydUser> => {
    const client = await api.user(name);
    const { token } = await client.call(tokenRoutes.create, { body: { name: 'floyd' } });
    return { client, key: token };
  };
  return {
    api,
    other,
    home,
    ann: await login('ann'),
    bob: await login('bob'),
    ask: (key, asked, init = {}) =>
      fetch(`${api.url}/api/v1${asked}`, {
        ...init,
        headers: { authorization: `apikey ${key}`, ...(init.headers as Record<string, string>) },
      }),
    async close() {
      await other.close();
      await api.close();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
