import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import type { SignedRequest } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { wantProgram } from '../../../test/support/require.js';
import {
  bucketEnv,
  type RunningService,
  startMinio,
  startVersitygw,
} from '../../../test/support/services.js';
import { openDirectoryStore } from '../src/store/directory.js';
import type { Store } from '../src/store/store.js';
import { type RunningApi, startApi } from './support/api.js';
import { refused } from './support/refused.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

/** What a pack may be checked against: a browser has SHA-256 at hand, the command line takes the quicker CRC-32. */
const sums = {
  sha256: (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  crc32: (bytes: Uint8Array) => `crc32:${crc32(bytes).toString(16).padStart(8, '0')}`,
};
const kinds = ['sha256', 'crc32'] as const;

/** One suite for all: what holds for one store holds for the others. */
describe.each([
  ['directory', undefined, undefined],
  ['s3', 'minio', startMinio],
  ['s3', 'versitygw', startVersitygw],
] as const)('the %s store (%s)', (kind, program, startService) => {
  const missing = program !== undefined && !wantProgram(program);
  let service: RunningService | undefined;
  let api: RunningApi;
  let store: Store;

  beforeAll(async () => {
    if (missing) return;
    const env: Record<string, string> = {};
    if (startService) {
      service = await startService();
      Object.assign(env, bucketEnv(service, 'mycloud-test'));
    }
    api = await startApi((await postgres.createDatabase()).url, env);
    store = api.deps.store;
  });
  afterAll(async () => {
    if (missing) return;
    await api.close();
    await service?.stop();
  });

  /** Does what a signed request says, as a client does: http lets the length differ from what was signed. */
  function perform(signed: SignedRequest, body?: Uint8Array, more: Record<string, string> = {}) {
    const url = new URL(signed.url, api.url);
    const headers: Record<string, string | number> = { ...signed.headers, ...more };
    if (body) headers['content-length'] = body.length;
    return new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }>(
      (resolve, reject) => {
        const request = http.request(url, { method: signed.method, headers }, async (response) => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: await buffer(response),
          });
        });
        // A store that has refused may hang up while bytes still come.
        request.on('error', reject);
        request.end(body);
      },
    );
  }

  const keys = async (prefix: string) => {
    const found: { key: string; size: number }[] = [];
    for await (const object of store.list(prefix)) found.push(object);
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  };

  it.skipIf(missing)('is the one that was asked for, and can take bytes', async () => {
    expect(store.kind).toBe(kind);
    await store.check();
    expect((await fetch(`${api.url}/health`)).status).toBe(200);
  });

  it.skipIf(missing)('gives back what was put, whole and in part', async () => {
    const bytes = randomBytes(300_000);
    await store.put('a/whole', bytes, bytes.length);
    expect((await buffer(await store.get('a/whole'))).equals(bytes)).toBe(true);
    const part = await buffer(await store.get('a/whole', { start: 1000, end: 1999 }));
    expect(part.equals(bytes.subarray(1000, 2000))).toBe(true);
    expect((await store.stat('a/whole'))?.size).toBe(300_000);
    await store.put('a/empty', new Uint8Array(0), 0);
    expect((await buffer(await store.get('a/empty'))).length).toBe(0);
  });

  it.skipIf(missing)('takes a stream', async () => {
    const parts = Array.from({ length: 40 }, () => randomBytes(100_000));
    await store.put('a/stream', Readable.from(parts), 4_000_000);
    expect((await buffer(await store.get('a/stream'))).equals(Buffer.concat(parts))).toBe(true);
  });

  it.skipIf(missing).each([
    ['shorter', 5000],
    ['longer', 3000],
  ])('refuses a stream that is %s than was said, and keeps nothing of it', async (_, said) => {
    await refused(store.put('a/wrong', Readable.from([randomBytes(2000), randomBytes(2000)]), said));
    expect(await store.stat('a/wrong')).toBeUndefined();
  });

  it.skipIf(missing)('fails with a stream that fails, and keeps nothing of it', async () => {
    async function* breaks() {
      yield randomBytes(1000);
      throw new Error('the source broke');
    }
    await expect(store.put('a/broken', Readable.from(breaks()), 2000)).rejects.toThrow('the source broke');
    expect(await store.stat('a/broken')).toBeUndefined();
  });

  it.skipIf(missing)('fails with a stream that was over before it was looked at', async () => {
    const gone = Readable.from([randomBytes(1000)]);
    gone.destroy();
    await once(gone, 'close');
    await expect(store.put('a/gone', gone, 1000)).rejects.toThrow();
    expect(await store.stat('a/gone')).toBeUndefined();
  });

  it.skipIf(missing)('says that an object is not there', async () => {
    expect(await store.stat('a/none')).toBeUndefined();
    expect((await refused(store.get('a/none'))).code).toBe('not_found');
    expect((await refused(store.get('a/none', { start: 0, end: 1 }))).code).toBe('not_found');
    await store.delete('a/none');
  });

  it.skipIf(missing)('lists by prefix, and forgets what is deleted', async () => {
    for (const key of ['list/x/1', 'list/x/2', 'list/y', 'listing'])
      await store.put(key, Buffer.from(key), key.length);
    expect(await keys('list/')).toEqual([
      { key: 'list/x/1', size: 8 },
      { key: 'list/x/2', size: 8 },
      { key: 'list/y', size: 6 },
    ]);
    await store.delete('list/x/1');
    expect((await keys('list/x/')).map((object) => object.key)).toEqual(['list/x/2']);
  });

  it.skipIf(missing).each(kinds)(
    'takes by a signed URL the very bytes it was signed for (%s)',
    async (sum) => {
      const bytes = randomBytes(100_000);
      const what = { size: bytes.length, checksum: sums[sum](bytes) };
      const signed = await store.signPut('signed/put', what, 60);
      expect((await perform(signed, bytes)).status).toBeLessThan(300);
      const info = await store.stat('signed/put');
      expect(info?.size).toBe(bytes.length);
      if (kind === 's3') expect(info?.checksum).toBe(what.checksum);
      expect((await buffer(await store.get('signed/put'))).equals(bytes)).toBe(true);
    },
  );

  it.skipIf(missing).each(kinds)('refuses by a signed URL any other bytes (%s)', async (sum) => {
    const bytes = randomBytes(50_000);
    const sign = (key: string) => store.signPut(key, { size: bytes.length, checksum: sums[sum](bytes) }, 60);
    const other = Buffer.from(bytes);
    other[7] = other[7]! ^ 1;
    expect((await perform(await sign('signed/other'), other)).status).toBeGreaterThanOrEqual(400);
    expect((await perform(await sign('signed/other'), bytes.subarray(1))).status).toBeGreaterThanOrEqual(400);
    const longer = Buffer.concat([bytes, bytes]);
    expect((await perform(await sign('signed/other'), longer)).status).toBeGreaterThanOrEqual(400);
    expect(await store.stat('signed/other')).toBeUndefined();
  });

  it.skipIf(missing)('refuses a signed URL turned to another object, or grown old', async () => {
    const bytes = randomBytes(100);
    const what = { size: bytes.length, checksum: sums.crc32(bytes) };
    const turned = (signed: SignedRequest): SignedRequest => ({
      ...signed,
      url: signed.url.replace(/signed(\/|%2F)mine/, 'signed$1theirs'),
    });
    await store.put('signed/theirs', bytes, bytes.length);
    await store.put('signed/mine', bytes, bytes.length);
    expect((await perform(turned(await store.signGet('signed/mine', 60)))).status).toBe(403);
    expect((await perform(turned(await store.signPut('signed/mine', what, 60)), bytes)).status).toBe(403);
    const soon = await store.signGet('signed/mine', 1);
    expect((await perform(soon)).status).toBe(200);
    await expect.poll(async () => (await perform(soon)).status, { timeout: 10_000 }).toBe(403);
  });

  it.skipIf(missing)('gives by a signed URL all of an object, or a range', async () => {
    const bytes = randomBytes(10_000);
    await store.put('signed/get', bytes, bytes.length);
    const signed = await store.signGet('signed/get', 60);
    const whole = await perform(signed);
    expect(whole.status).toBe(200);
    expect(whole.body.equals(bytes)).toBe(true);
    const part = await perform(signed, undefined, { range: 'bytes=100-199' });
    expect(part.status).toBe(206);
    expect(part.headers['content-range']).toBe('bytes 100-199/10000');
    expect(part.body.equals(bytes.subarray(100, 200))).toBe(true);
    const end = await perform(signed, undefined, { range: 'bytes=-5' });
    expect(end.body.equals(bytes.subarray(-5))).toBe(true);
  });

  it.runIf(kind === 'directory')('lets no key leave its folder', async () => {
    for (const key of ['../secret', 'a/../../secret', '/etc/passwd', 'a//b', '', 'A', 'a\0b', '.', 'a/.']) {
      expect((await refused(store.put(key, Buffer.from('x'), 1))).code, key).toBe('bad_request');
      expect((await refused(store.get(key))).code, key).toBe('bad_request');
    }
  });

  it.runIf(kind === 'directory')(
    'keeps its secret to itself, over restarts and for all apis of the folder',
    async () => {
      const secret = path.join(api.home, 'store/secret');
      expect((await stat(secret)).mode & 0o777).toBe(0o600);
      expect(await readFile(secret, 'utf8')).toMatch(/^[0-9a-f]{64}$/);
      const again = await startApi((await postgres.createDatabase()).url, { MYCLOUD_HOME: api.home });
      const bytes = randomBytes(10);
      await store.put('signed/both', bytes, 10);
      const signed = await again.deps.store.signGet('signed/both', 60);
      expect((await perform(signed)).body.equals(bytes)).toBe(true);
      await again.close();
    },
  );

  // The last of the suite: it takes the store away.
  it.skipIf(missing)('is said to be unavailable while it is', async () => {
    if (service) await service.stop();
    else await rename(path.join(api.home, 'store'), path.join(api.home, 'away'));
    const error = await refused(store.check());
    expect(error.code).toBe('unavailable');
    const health = await fetch(`${api.url}/health`);
    expect(health.status).toBe(503);
    if (kind === 's3') expect((await refused(store.stat('a/whole'))).code).toBe('unavailable');
  });
});

it('a folder of objects opens while another api writes to it', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'mycloud-store-'));
  try {
    const one = await openDirectoryStore(root);
    let written = 0;
    let goOn = true;
    const writing = Array.from({ length: 4 }, async () => {
      while (goOn) await one.put(`packs/${written++}`, Readable.from([randomBytes(10)]), 10);
    });
    for (let i = 0; i < 300; i++) await openDirectoryStore(root);
    goOn = false;
    await Promise.all(writing);
    expect(written).toBeGreaterThan(10);
  } finally {
    await rm(root, { recursive: true });
  }
});
