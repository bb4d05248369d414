import { createHash, createHmac } from 'node:crypto';
import type { SignedRequest } from '@mycloud/shared';

export interface S3Access {
  /** Such as https://s3.example.org:9000; the bucket is named in the path. */
  endpoint: string;
  region: string;
  accessKey: string;
  secretKey: string;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
/** RFC 3986 as SigV4 wants it: encodeURIComponent leaves five characters more. */
const escapeText = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * A signed URL that is good only together with these headers. The minio client signs no header but the host's, so that
 * an upload of any length and content would pass.
 * Source: AWS Signature Version 4, "Authenticating Requests: Using Query Parameters".
 */
export function presign(
  access: S3Access,
  method: SignedRequest['method'] | 'HEAD',
  path: { bucket: string; key: string },
  headers: Record<string, string>,
  seconds: number,
): { url: string; headers: Record<string, string> } {
  const { origin, host } = new URL(access.endpoint);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${time.slice(0, 8)}/${access.region}/s3/aws4_request`;
  const signed = Object.entries({ ...headers, host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${access.accessKey}/${scope}`],
    ['X-Amz-Date', time],
    ['X-Amz-Expires', String(seconds)],
    ['X-Amz-SignedHeaders', names],
  ]
    .map(([name, value]) => `${name}=${escapeText(value!)}`)
    .join('&');
  const resource = `/${[path.bucket, ...path.key.split('/')].map(escapeText).join('/')}`;
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join('');
  const request = [method, resource, query, lines, names, 'UNSIGNED-PAYLOAD'].join('\n');
  const digest = createHash('sha256').update(request).digest('hex');
  const key = ['s3', 'aws4_request'].reduce(
    hmac,
    hmac(hmac(`AWS4${access.secretKey}`, time.slice(0, 8)), access.region),
  );
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, digest].join('\n')).toString('hex');
  return { url: `${origin}${resource}?${query}&X-Amz-Signature=${signature}`, headers };
}
