import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client as MinioClient } from 'minio';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';
import { bucketEnv, type RunningService, startMinio, startRedis } from './support/services.js';

let redis: RunningService;
let minio: RunningService;
let server: TestServer;

beforeAll(async () => {
  redis = await startRedis();
  minio = await startMinio();
  server = await startServer({
    env: {
      REDIS_URL: redis.url,
      ...bucketEnv(minio, 'mycloud'),
    },
  });
});
afterAll(async () => {
  await server?.remove();
  await minio?.stop();
  await redis?.stop();
});

it('runs a job woken by Redis, its bytes on MinIO from end to end', async () => {
  const data = path.join(server.folder, 'data');
  await mkdir(data);
  await writeFile(path.join(data, 'numbers.txt'), Array.from({ length: 100_000 }, (_, i) => i).join('\n'));
  await server.json(['data', 'upload', 'numbers', '--dir', data]);
  await server.json(['init', 'sums']);
  await writeFile(path.join(server.folder, 'sum.mjs'), 'console.log("from the code")\n');
  const { code, stdout, stderr } = await server.cli([
    'run',
    '--data',
    'numbers:input',
    '--follow',
    '--exit-status',
    'node sum.mjs && wc -l < "$MYCLOUD_INPUT/numbers.txt" | tee "$MYCLOUD_OUTPUT/count.txt"',
  ]);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('from the code');
  expect((await server.cli(['output', '1', '-o', 'back'])).code).toBe(0);
  expect((await readFile(path.join(server.folder, 'back/count.txt'), 'utf8')).trim()).toBe('99999');

  const url = new URL(minio.url);
  const bucket = new MinioClient({
    endPoint: url.hostname,
    port: Number(url.port),
    useSSL: false,
    accessKey: 'tester',
    secretKey: 'tester-secret',
  });
  const keys: string[] = [];
  for await (const item of bucket.listObjectsV2('mycloud', '', true)) keys.push(item.name as string);
  expect(keys.some((key) => key.startsWith('manifests/'))).toBe(true);
  expect(keys.length).toBeGreaterThanOrEqual(4);
});

it('leaves no service behind when a test run is cut off', async () => {
  const services = path.join(import.meta.dirname, 'support/services.ts');
  const script = `import { startRedis } from ${JSON.stringify(services)};
console.log((await startRedis()).process.pid);
setInterval(() => undefined, 1000);`;
  const words = ['--conditions=mycloud-source', '--import', 'tsx', '--input-type=module', '-e', script];
  const run = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(run.stdout, 'data');
  const pid = Number(said);
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('redis-server');
  run.kill('SIGKILL');
  await eventually('Redis has ended too', async () => !existsSync(`/proc/${pid}`), 10);
});
