import http from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Seeded, startSeededApi } from './support/seeded.js';

let seeded: Seeded;
beforeAll(async () => {
  seeded = await startSeededApi();
});
afterAll(async () => {
  await seeded.close();
});

interface Answer {
  status: number;
  body: string;
  location: string;
}

/** Sends an address as it is: fetch would take its dots out. */
function send(path: string, options: http.RequestOptions = {}, body?: Uint8Array): Promise<Answer> {
  const headers = { authorization: `Bearer ${seeded.labToken}`, ...options.headers };
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(seeded.api.url);
    const request = http.request({ hostname, port, ...options, path, headers }, (response) => {
      text(response).then(
        (body) =>
          resolve({ status: response.statusCode ?? 0, body, location: response.headers.location ?? '' }),
        reject,
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

const ways = [
  ...['../../../../../../etc/passwd', '/etc/passwd', '..%2f..%2f..%2f..%2f..%2fetc%2fpasswd'],
  ...['%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd', '..%5c..%5c..%5cetc%5cpasswd', '....//....//etc/passwd'],
  ...['..%c0%af..%c0%afetc/passwd', '%00/etc/passwd', 'a.txt%00.png', 'a.txt/../../../etc/passwd'],
  ...['%252e%252e%252fetc%252fpasswd', '.', '..', '%2e%2e', '%', '%zz', '~root/.ssh/id_rsa'],
];

describe('an address that climbs out of where it belongs', () => {
  it.each(ways)('finds no file of the machine: %s', async (way) => {
    const { snapshotId, ended } = seeded;
    const addresses = [
      ...[
        `/assets/${way}`,
        `/docs/static/${way}`,
        `/docs/${way}`,
        `/${way}`,
        `/v1/store/${way}?expires=1&signature=x`,
      ],
      ...[`/v1/snapshots/${snapshotId}/file?path=${way}`, `/v1/snapshots/${snapshotId}/files?path=${way}`],
      ...[`/v1/snapshots/${snapshotId}/archive?path=${way}`, `/v1/snapshots/${way}/manifest`],
      ...[`/api/v1/resources/${snapshotId}/${way}?content=true`, `/api/v1/resources/${way}?content=true`],
      ...[`/api/v1/download/artifacts/files/${ended.jobId}?path=${way}`, `/api/v1/download/artifacts/${way}`],
      ...[`/api/v1/modules/${way}`, `/api/v1/projects/${way}`, `/v1/tensorboards/${way}/x`],
      ...[
        `/lab/projects/dogsvscats/5/serve/${way}`,
        `/lab/projects/${way}/5/serve/x`,
        `/lab/projects/${way}`,
      ],
      ...[`/v1/projects/lab/${way}/jobs/1`, `/v1/datasets/lab/${way}`, `/open/${way}`],
    ];
    for (const address of addresses) {
      const { status, body } = await send(address);
      expect(body, address).not.toContain('root:');
      expect([500, 502], `${address} → ${status} ${body.slice(0, 200)}`).not.toContain(status);
    }
  });
});

describe('a link that leads on', () => {
  it.each([
    ...[
      '//evil.example',
      '/\\evil.example',
      '/%09/evil.example',
      '/%0a/evil.example',
      '/%0d%0aSet-Cookie:a=b',
    ],
    ...[
      'https://evil.example',
      '%2f%2fevil.example',
      '/v1/tokens',
      'javascript:alert(1)',
      '/%5c%09/evil.example',
    ],
  ])('leads to no other host: %s', async (to) => {
    const { status, location } = await send(`/open/made-up?to=${to}`);
    expect(status).toBe(303);
    // As a browser reads it: without tabs and line ends, and with \ for /.
    const next = new URL(location.replace(/[\t\r\n]/g, ''), 'http://ours.example');
    expect(next.host).toBe('ours.example');
    const after = next.searchParams.get('to') ?? '/';
    expect(new URL(after.replace(/[\t\r\n]/g, ''), 'http://ours.example').host).toBe('ours.example');
  });
});

describe('a form of files, of any bytes', { timeout: 120_000 }, () => {
  it('is taken or refused, and the server is well after it', async () => {
    const form = (name: string, more: string) =>
      `--x\r\nContent-Disposition: form-data; name="${name}"; filename="${more}"\r\n\r\nbytes\r\n`;
    const good = Buffer.from(`${form('code', 'a.py')}${form('code', '../../etc/cron.d/x')}--x--\r\n`);
    const change = fc.record({
      at: fc.nat({ max: good.length - 1 }),
      drop: fc.nat({ max: 40 }),
      add: fc.uint8Array({ maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 3 }), async (changes) => {
        let bytes = good;
        for (const { at, drop, add } of changes)
          bytes = Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + drop)]);
        const headers = { 'content-type': 'multipart/form-data; boundary=x' };
        const { status, body } = await send('/api/v1/modules/', { method: 'POST', headers }, bytes);
        expect(status, body).toBeLessThan(500);
      }),
      { numRuns: 100, seed: 1 },
    );
    expect((await send('/health')).status).toBe(200);
  });
});
