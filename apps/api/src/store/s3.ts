import { Readable } from 'node:stream';
import { AppError, type SignedRequest } from '@mycloud/shared';
import { Client, S3Error } from 'minio';
import type { Config } from '../config.js';
import { checksumHeader, checksumOf } from './checksum.js';
import { presign } from './presign.js';
import type { Store } from './store.js';

/** A bucket of MinIO or any S3 server; it is made when it isn't there. */
export async function openS3Store(options: NonNullable<Config['s3']>): Promise<Store> {
  const { bucket, region } = options;
  const client = clientAt(options.endpoint, options);
  // A signature holds for the address it was made for.
  const shown = { ...options, endpoint: options.publicEndpoint ?? options.endpoint };
  const signer = clientAt(shown.endpoint, options);
  const guard = async <T>(work: Promise<T>, key?: string): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw toAppError(error, key);
    }
  };
  if (!(await guard(client.bucketExists(bucket)))) {
    await guard(
      client.makeBucket(bucket, region).catch((error: unknown) => {
        // Another api made it meanwhile.
        if (!(error instanceof S3Error && /BucketAlready/.test(error.code ?? ''))) throw error;
      }),
    );
  }

  return {
    kind: 's3',
    async put(key, bytes, size) {
      if (bytes instanceof Uint8Array)
        await guard(client.putObject(bucket, key, Buffer.from(bytes), size), key);
      else await guard(putStream(key, bytes, size), key);
    },
    get: (key, range) =>
      guard(
        range
          ? client.getPartialObject(bucket, key, range.start, range.end - range.start + 1)
          : client.getObject(bucket, key),
        key,
      ),
    async stat(key) {
      // The client can't ask for the checksum, which tells what the server verified as the bytes came.
      const mode = { 'x-amz-checksum-mode': 'ENABLED' };
      const head = presign(options, 'HEAD', { bucket, key }, mode, 60);
      const answer = await guard(fetch(head.url, { method: 'HEAD', headers: head.headers }), key);
      if (answer.status === 404) return undefined;
      if (!answer.ok) throw toAppError(new Error(`HEAD ${key} was answered ${answer.status}`), key);
      return { size: Number(answer.headers.get('content-length')), checksum: checksumOf(answer.headers) };
    },
    delete: (key) => guard(client.removeObject(bucket, key), key),
    async *list(prefix) {
      for await (const item of client.listObjectsV2(bucket, prefix, true)) {
        const { name, size } = item as { name: string; size: number };
        yield { key: name, size };
      }
    },
    async signPut(key, { size, checksum }, seconds): Promise<SignedRequest> {
      // Both are signed: the server refuses other bytes, or more of them, as they come.
      const headers = { 'content-length': String(size), ...checksumHeader(checksum) };
      return { method: 'PUT', ...presign(shown, 'PUT', { bucket, key }, headers, seconds) };
    },
    async signGet(key, seconds): Promise<SignedRequest> {
      return { method: 'GET', url: await signer.presignedGetObject(bucket, key, seconds), headers: {} };
    },
    async check() {
      await guard(client.bucketExists(bucket));
    },
  };

  /** The client waits for ever for a source that fails, and doesn't count its bytes: both are done here. */
  async function putStream(key: string, source: Readable, size: number): Promise<void> {
    let sent = 0;
    const counted = Readable.from(
      (async function* () {
        for await (const chunk of source) {
          sent += (chunk as Uint8Array).length;
          yield chunk;
        }
      })(),
      { objectMode: false },
    );
    const failed = new Promise<never>((_, reject) => {
      source.once('error', reject);
      counted.once('error', reject);
    });
    try {
      await Promise.race([client.putObject(bucket, key, counted, size), failed]);
      if (sent !== size) throw new AppError('bad_request', `${sent} bytes came where ${size} were announced`);
    } catch (error) {
      await client.removeIncompleteUpload(bucket, key).catch((none: unknown) => {
        // A small object is sent in one piece: there is no upload to give up.
        if (!(none instanceof S3Error && none.code === 'NoSuchUpload')) throw none;
      });
      await client.removeObject(bucket, key);
      throw error;
    }
  }
}

function clientAt(endpoint: string, options: NonNullable<Config['s3']>): Client {
  const url = new URL(endpoint);
  const useSSL = url.protocol === 'https:';
  return new Client({
    endPoint: url.hostname,
    port: url.port ? Number(url.port) : useSSL ? 443 : 80,
    useSSL,
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    region: options.region,
  });
}

function toAppError(error: unknown, key?: string): unknown {
  if (error instanceof AppError) return error;
  const { code } = error as { code?: string };
  if (code === 'NoSuchKey' || code === 'NotFound')
    return new AppError('not_found', `the store has no ${key}`, { cause: error });
  if (code === 'XMinioStorageFull') {
    return new AppError('unavailable', 'the store is full', {
      cause: error,
      details: { reason: 'disk_full' },
    });
  }
  return new AppError(
    'unavailable',
    `the store (S3) does not answer as it should: ${(error as Error).message}`,
    { cause: error },
  );
}
