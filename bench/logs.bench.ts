import {
  type Answer,
  type Client,
  type Job,
  jobRoutes,
  type LogLine,
  logRoutes,
  projectRoutes,
  readEvents,
} from '@mycloud/shared';
import { startServer } from '../test/support/server.js';
import { figure } from './report.js';

const lines = 400_000;
const followers = 100;

const params = { owner: '', project: 'bench' };
const streamOf = (client: Client, job: Job): Promise<Answer> =>
  client.open(logRoutes.stream, { params: { ...params, number: job.number } });

interface Seen {
  lines: number;
  gaps: number;
  /** When the first and the last of the job's own lines came. */
  from: number;
  to: number;
}

/** Reads every line as the command line does. */
async function read(client: Client, job: Job): Promise<Seen> {
  const seen: Seen = { lines: 0, gaps: 0, from: 0, to: 0 };
  let last = 0;
  for await (const event of readEvents(await streamOf(client, job))) {
    if (event.event !== 'lines') continue;
    for (const line of (JSON.parse(event.data) as { lines: LogLine[] }).lines) {
      if (line.seq !== last + 1) seen.gaps += 1;
      last = line.seq;
      if (line.source !== 'job') continue;
      seen.lines += 1;
      if (seen.from === 0) seen.from = performance.now();
      seen.to = performance.now();
    }
  }
  return seen;
}

/** Takes every byte and looks only at the frames' ids: a hundred readers of everything would measure themselves. */
async function watch(client: Client, job: Job): Promise<{ lastSeq: number; gaps: number }> {
  let lastSeq = 0;
  let gaps = 0;
  let tail = Buffer.alloc(0);
  const { body } = await streamOf(client, job);
  for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
    // A head that is cut in two begins in the last bytes.
    const found = Buffer.concat([tail, bytes]);
    let at = 0;
    for (let next = found.indexOf('\nid: ', at); next !== -1; next = found.indexOf('\nid: ', at)) {
      // The frame says its first and its last line: id: 1.5001, data: {"lines":[{"seq":2,…
      const head = /^\nid: \d+\.(\d+)\ndata: \{"lines":\[\{"seq":(\d+),/.exec(
        found.toString('latin1', next, next + 100),
      );
      if (!head) break;
      if (Number(head[2]) !== lastSeq + 1) gaps += 1;
      lastSeq = Number(head[1]);
      at = next + head[0].length;
    }
    tail = found.subarray(Math.max(at, found.length - 100));
  }
  return { lastSeq, gaps };
}

const server = await startServer({ args: ['--runner', 'process'] });
try {
  const client = await server.client();
  params.owner = (await client.call(projectRoutes.create, { body: { name: 'bench' } })).owner;
  const body = {
    // Time for all to be attached.
    command: `sleep 3; seq -f "epoch 1 step %.0f loss 0.6931 acc 0.5000" 1 ${lines}`,
  };
  const job = await client.call(jobRoutes.create, { params, body });
  const watching = Array.from({ length: followers - 1 }, () => watch(client, job));
  const seen = await read(client, job);
  const others = await Promise.all(watching);
  if (seen.lines !== lines) throw new Error(`${seen.lines} of ${lines} lines came`);
  const gaps = seen.gaps + others.reduce((sum, other) => sum + other.gaps, 0);
  const whole = others.filter((other) => other.lastSeq >= lines).length + 1;
  figure('logs', 'lines_s', lines / ((seen.to - seen.from) / 1000), 'lines/s');
  figure('logs', 'gaps', gaps, 'gaps');
  figure('logs', 'followers', whole, 'followers with every line');
} finally {
  await server.remove();
}
