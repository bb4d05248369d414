import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FloydUser, floydProgram, floydUser, tokenOf } from '../support/floyd.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { wantProgram } from '../support/require.js';
import { eventually, startServer, type TestServer } from '../support/server.js';
import { bucketEnv, type RunningService, startMinio } from '../support/services.js';

/** Several pieces of the client's 5 MiB. */
const bytes = 128_000_000;

describe.skipIf(!floydProgram).each(['directory', 's3'] as const)(
  'data that the old floyd uploads to the %s store',
  (kind) => {
    const missing = kind === 's3' && !wantProgram('minio');
    let postgres: TestPostgres;
    let minio: RunningService | undefined;
    let server: TestServer;
    let user: FloydUser;
    let db: pg.Pool;

    beforeAll(async () => {
      if (missing) return;
      postgres = await startPostgres();
      const { url } = await postgres.createDatabase();
      db = new pg.Pool({ connectionString: url, max: 1 });
      // Its Postgres may be gone before it has said goodbye.
      db.on('error', () => undefined);
      minio = kind === 's3' ? await startMinio() : undefined;
      server = await startServer({
        env: { DATABASE_URL: url, ...(minio && bucketEnv(minio, 'mycloud')) },
      });
      user = await floydUser(server);
      await user.floyd(['login', '-k', await tokenOf(server)]);
    });
    afterAll(async () => {
      await server?.remove();
      await db?.end();
      await minio?.stop();
      await postgres?.stop();
    });

    const received = async (): Promise<number> =>
      Number((await db.query('SELECT max(received) AS bytes FROM "Upload"')).rows[0].bytes ?? 0);

    it.skipIf(missing)(
      'goes on where it was, with the client killed and the server started anew',
      async () => {
        const data = await user.folder('large');
        const content = randomBytes(bytes);
        await writeFile(path.join(data, 'large.bin'), content);
        await user.here(['data', 'init', 'large'], data);
        const upload = user.start(['data', 'upload'], data);
        const ended = once(upload, 'close');
        await eventually('some of it has come', async () => (await received()) > 10_000_000);
        upload.kill('SIGKILL');
        await ended;
        await server.stop();
        const before = await received();
        expect(before).toBeLessThan(bytes);
        await server.restart();

        expect((await user.floyd(['data', 'status'], data)).stdout).toMatch(/large\/1 .* uploading /);
        const resumed = await user.here(['-v', 'data', 'upload', '-r'], data);
        expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
        expect(resumed.stdout + resumed.stderr).toContain(`offset: ${before}\n`);
        expect(resumed.stdout).toContain('/datasets/large/1');
        const got = await user.folder('got');
        expect(await user.floyd(['data', 'getfile', 'large/1', 'large.bin'], got)).toMatchObject({ code: 0 });
        expect((await readFile(path.join(got, 'large.bin'))).equals(content)).toBe(true);
        await eventually('its pieces are deleted', async () => {
          const { rows } = await db.query('SELECT count(*)::int AS parts FROM "UploadPart"');
          return rows[0].parts === 0;
        });
      },
    );

    it.skipIf(missing)('is refused with a sentence when it can’t be a dataset', async () => {
      const data = await user.folder('leaving', { 'a.txt': 'a' });
      await symlink('/etc/passwd', path.join(data, 'leaving'));
      await user.here(['data', 'init', 'leaving'], data);
      const uploaded = await user.here(['data', 'upload'], data);
      expect(uploaded.code).toBe(1);
      expect(uploaded.stderr).toContain('an absolute path');
      const status = await user.floyd(['data', 'status'], data);
      expect(status.stdout).toMatch(/leaving\/1 .* failed /);
      expect((await user.floyd(['data', 'delete', '-y', 'leaving/1'], data)).code).toBe(0);
      expect((await user.floyd(['data', 'status'], data)).stdout).not.toContain('leaving/1');
    });
  },
);
