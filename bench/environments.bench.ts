import path from 'node:path';
import { type Job, jobRoutes, logRoutes } from '@mycloud/shared';
import { drawDataset } from '@mycloud/trainer/draw';
import { wantProgram } from '../test/support/require.js';
import { startServer, type TestServer } from '../test/support/server.js';
import { figure, median } from './report.js';

const name = 'keras-2.15';

/** Seconds that a worker took to build it, by its own log. */
async function build(server: TestServer): Promise<number> {
  const { code, stdout, stderr } = await server.cli(['env', 'build', name]);
  const seconds = /built in ([\d.]+) s/.exec(stdout)?.[1];
  if (code !== 0 || !seconds) throw new Error(`${name} was not built:\n${stdout}${stderr}`);
  return Number(seconds);
}

/** Built once from the network, removed, and built again from what the installer kept. */
async function warmBuild(server: TestServer): Promise<number> {
  await build(server);
  const { code, stderr } = await server.cli(['env', 'delete', name, '-y']);
  if (code !== 0) throw new Error(stderr);
  return build(server);
}

const uv = wantProgram('uv');
let uvSeconds: number | undefined;
if (uv) {
  const server = await startServer({ env: { PATH: `${path.dirname(uv)}:${process.env.PATH}` } });
  try {
    uvSeconds = await warmBuild(server);
  } finally {
    await server.remove();
  }
}

const withoutUv = (process.env.PATH ?? '')
  .split(path.delimiter)
  .filter((folder) => !uv || path.dirname(uv) !== folder)
  .join(path.delimiter);
const server = await startServer({ env: { PATH: withoutUv } });
try {
  const seconds = await warmBuild(server);
  const peer = uvSeconds === undefined ? { missing: 'uv' } : { name: 'uv', value: uvSeconds };
  figure('environments', 'keras_warm_build_s', seconds, 's', peer);

  const pictures = path.join(server.folder, 'pictures');
  await drawDataset(pictures, { train: 32, val: 32, seed: 3 });
  await server.json(['data', 'upload', 'dogsvscats', '--dir', pictures]);
  const cwd = await server.project('convnet');
  await server.cli(['init', 'convnet', '--template', 'dogsvscats'], { cwd });
  const client = await server.client();
  const ready: number[] = [];
  const firstLine: number[] = [];
  for (let i = 0; i < 3; i++) {
    const job = await server.json<Job>(
      ['run', '--data', 'dogsvscats:input', '--env', name, 'python very_little_data.py --epochs 1'],
      { cwd },
    );
    const params = { owner: job.owner, project: job.project, number: job.number };
    await server.ended(job, 300);
    const ended = await client.call(jobRoutes.get, { params });
    if (ended.status !== 'succeeded') throw new Error(ended.message ?? ended.status);
    const { lines } = await client.call(logRoutes.range, { params, query: { after: '0.0', limit: 1000 } });
    const { items } = await client.call(jobRoutes.events, { params });
    const at = (type: string) => Date.parse(items.find((event) => event.type === type)?.time ?? '');
    ready.push(at('running') - at('preparing'));
    firstLine.push((lines.find((line) => line.source === 'job')?.time ?? Number.NaN) - at('running'));
  }
  // From its claim to the start of its command: inputs, code and an environment that is there.
  figure('environments', 'second_job_ready_ms', median(ready), 'ms');
  figure('environments', 'script_first_line_ms', median(firstLine), 'ms');
} finally {
  await server.remove();
}
