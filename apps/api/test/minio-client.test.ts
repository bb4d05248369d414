import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from '../../../test/support/require.js';
import {
  bucketEnv,
  type RunningService,
  startMinio,
  startVersitygw,
} from '../../../test/support/services.js';
import { presign, type S3Access } from '../src/store/presign.js';
import { openS3Store } from '../src/store/s3.js';
import type { Store } from '../src/store/store.js';
import { refused } from './support/refused.js';

const MiB = 2 ** 20;
const bucket = 'traps';

/** What the S3 store steps around: each trap is shown as it is, and then that the store doesn't fall into it. */
describe.each([
  ['minio', startMinio],
  ['versitygw', startVersitygw],
] as const)('the traps of the minio client, at %s', (program, startService) => {
  const missing = !wantProgram(program);
  let service: RunningService;
  let client: Client;
  let access: S3Access;
  let store: Store;

  beforeAll(async () => {
    if (missing) return;
    service = await startService();
    const env = bucketEnv(service, bucket);
    access = {
      endpoint: env.S3_ENDPOINT!,
      region: 'us-east-1',
      accessKey: env.S3_ACCESS_KEY!,
      secretKey: env.S3_SECRET_KEY!,
    };
    store = await openS3Store({ ...access, bucket });
    const { hostname, port } = new URL(service.url);
    const { accessKey, secretKey, region } = access;
    client = new Client({
      endPoint: hostname,
      port: Number(port),
      useSSL: false,
      accessKey,
      secretKey,
      region,
    });
  });
  afterAll(async () => {
    await service?.stop();
  });

  const incomplete = async (): Promise<number> => {
    let count = 0;
    for await (const _ of client.listIncompleteUploads(bucket, '', true)) count += 1;
    return count;
  };

  it.skipIf(missing)('two names for an object that is not there', async () => {
    await expect(client.statObject(bucket, 'none')).rejects.toMatchObject({ code: 'NotFound' });
    await expect(client.getObject(bucket, 'none')).rejects.toMatchObject({ code: 'NoSuchKey' });
    expect(await store.stat('none')).toBeUndefined();
    expect((await refused(store.get('none'))).code).toBe('not_found');
  });

  it.skipIf(missing)(
    'a large stream that breaks leaves parts behind; the store takes them away',
    async () => {
      async function* breaks() {
        for (let i = 0; i < 70; i++) yield randomBytes(MiB);
        throw new Error('the source broke');
      }
      await expect(store.put('broken', Readable.from(breaks()), 100 * MiB)).rejects.toThrow(
        'the source broke',
      );
      expect(await store.stat('broken')).toBeUndefined();
      expect(await incomplete()).toBe(0);
    },
  );

  it.skipIf(missing)(
    'If-None-Match holds for a single PUT: after the first, eight at once are refused',
    async () => {
      const put = (): Promise<number> => {
        const headers = { 'if-none-match': '*' };
        const { url } = presign(access, 'PUT', { bucket, key: 'once' }, headers, 60);
        return fetch(url, { method: 'PUT', headers, body: randomBytes(1000) }).then(({ status }) => status);
      };
      const first = await put();
      expect(first).toBe(200);
      const later = await Promise.all(Array.from({ length: 8 }, put));
      expect(new Set(later)).toEqual(new Set([412]));
    },
  );

  it.skipIf(missing)(
    'it does not hold two multipart puts of one key apart: packs have keys of their own, and both are whole',
    async () => {
      const [one, two] = [randomBytes(65 * MiB), randomBytes(65 * MiB)];
      await Promise.all([
        store.put('packs/one', Readable.from([one]), one.length),
        store.put('packs/two', Readable.from([two]), two.length),
      ]);
      expect((await buffer(await store.get('packs/one'))).equals(one)).toBe(true);
      expect((await buffer(await store.get('packs/two'))).equals(two)).toBe(true);
      expect(await incomplete()).toBe(0);
    },
  );
});
