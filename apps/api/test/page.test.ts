import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApi, startApiAlone } from './support/api.js';

let api: RunningApi;
beforeAll(async () => {
  api = await startApiAlone();
});
afterAll(async () => {
  await api.close();
});

const get = (at: string, headers: Record<string, string> = {}) =>
  fetch(api.url + at, { headers, redirect: 'manual' });

describe('the page', () => {
  it.each(['/', '/login', '/datasets', '/cluster', '/lab/projects/cats/12/logs', '/lab/datasets/cats/1'])(
    'answers at %s with one document that runs nothing but its own scripts',
    async (at) => {
      const response = await get(at);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('<div id="root">');
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toContain('unsafe');
      expect(response.headers.get('cache-control')).toBe('no-cache');
    },
  );

  it('names files by their content, to be kept for ever, packed', async () => {
    const html = await (await get('/')).text();
    const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(html) ?? [];
    const response = await get(script, { 'accept-encoding': 'br' });
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(response.headers.get('content-encoding')).toBe('br');
    expect(response.headers.get('content-type')).toContain('javascript');
  });

  it.each(['/v1/nothing', '/nothing', '/assets/none.js', '/assets/..%2f..%2fpackage.json'])(
    'is not what %s answers',
    async (at) => {
      const response = await get(at);
      expect([400, 404]).toContain(response.status);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
    },
  );

  it('leaves the documents of the api alone', async () => {
    expect((await get('/docs/json')).headers.get('content-type')).toContain('json');
    expect((await get('/health')).status).toBe(200);
  });

  it('weighs less than 300 KB, and carries no zod', () => {
    const folder = path.resolve(import.meta.dirname, '../../web/dist/assets');
    const files = readdirSync(folder).filter((file) => /\.(js|css|svg)$/.test(file));
    const bytes = files.map((file) => readFileSync(path.join(folder, file)));
    expect(bytes.reduce((sum, one) => sum + gzipSync(one, { level: 9 }).length, 0)).toBeLessThan(300_000);
    for (const one of bytes) expect(one.toString()).not.toMatch(/ZodError|invalid_type/);
  });
});
