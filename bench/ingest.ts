import { readFileSync } from 'node:fs';
import {
  type Assignment,
  jobRoutes,
  projectRoutes,
  tokenRoutes,
  version,
  workerRoutes,
} from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { Cluster } from '../test/support/cluster/cluster.js';
import { descendants } from '../test/support/processes.js';
import { figure, median } from './report.js';

const jobs = 16;
const linesPerBatch = 500;
const seconds = 6;
const rounds = 3;

const fieldsOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ').map(Number);
  } catch {
    // It has just ended: its parent has its time.
    return [];
  }
};
const ownSeconds = (pid: number): number => ((fieldsOf(pid)[11] ?? 0) + (fieldsOf(pid)[12] ?? 0)) / 100;
/** Of a program and those it started, ended ones too. */
const withChildren = (pid: number): number => {
  const [reapedUser = 0, reapedSystem = 0] = fieldsOf(pid).slice(13, 15);
  return [pid, ...descendants(pid, /postgres/)].reduce(
    (sum, one) => sum + ownSeconds(one),
    (reapedUser + reapedSystem) / 100,
  );
};

interface Measured {
  linesPerSecond: number;
  /** Of apis and database together. */
  cpuMicrosPerLine: number;
}

/** Log lines of many jobs into one api, and into two that share a database, Redis and MinIO: by the workers' own protocol. */
export async function ingestFigures(): Promise<void> {
  const cluster = await Cluster.start();
  try {
    const { client } = cluster;
    const { owner } = await client.call(projectRoutes.create, { body: { name: 'ingest' } });
    const { token } = await client.call(tokenRoutes.create, { body: { name: 'ingest', kind: 'worker' } });
    const asWorker = cluster.apis.map(({ url }) => createNodeClient({ url, token }));
    const offer = {
      ...{ name: 'ingest', version, runner: 'process', machines: ['gpu2'] },
      ...{ cores: 64, memoryBytes: 2 ** 40, gpus: 64 },
    };
    const { workerId } = await asWorker[0]!.call(workerRoutes.register, { body: offer });
    const held: { assignment: Assignment; next: number }[] = [];
    for (let n = 0; n < jobs; n++) {
      await client.call(jobRoutes.create, {
        params: { owner, project: 'ingest' },
        body: { command: 'true', machine: 'gpu2' },
      });
      const { assignment } = await asWorker[0]!.call(workerRoutes.claim, {
        body: { workerId, machines: ['gpu2'] },
      });
      if (!assignment) throw new Error('a queued job was not given');
      held.push({ assignment, next: 1 });
    }
    const attempts = held.map(({ assignment: { jobId, attempt, fence } }) => ({ jobId, attempt, fence }));
    const beat = setInterval(() => {
      void asWorker[0]!.call(workerRoutes.heartbeat, { body: { workerId, attempts } }).catch(() => undefined);
    }, 3000);

    const measure = async (apis: number): Promise<Measured> => {
      const database = cluster.programs.find(({ name }) => name === 'postgres')?.pid ?? 0;
      const cpuSeconds = () =>
        cluster.apis.reduce((sum, { pid }) => sum + ownSeconds(pid), withChildren(database));
      const before = cpuSeconds();
      const from = performance.now();
      let sent = 0;
      await Promise.all(
        held.map(async (job, n) => {
          const { jobId, attempt, fence } = job.assignment;
          while (performance.now() - from < seconds * 1000) {
            const firstSeq = job.next;
            const lines = Array.from({ length: linesPerBatch }, (_, i) => ({
              time: Date.now(),
              source: 'job' as const,
              text: `epoch 3/30 step ${firstSeq + i}/125 loss: 0.6931 acc: 0.5031 lr: 0.001 ${jobId.slice(0, 8)}`,
            }));
            await asWorker[n % apis]!.call(workerRoutes.logs, {
              params: { jobId },
              body: { attempt, fence, firstSeq, lines },
            });
            job.next += linesPerBatch;
            sent += linesPerBatch;
          }
        }),
      );
      const took = (performance.now() - from) / 1000;
      return { linesPerSecond: sent / took, cpuMicrosPerLine: ((cpuSeconds() - before) * 1e6) / sent };
    };

    for (const apis of [1, 2]) await measure(apis);
    const measured: Record<1 | 2, Measured[]> = { 1: [], 2: [] };
    for (let round = 0; round < rounds; round++)
      for (const apis of [1, 2] as const) measured[apis].push(await measure(apis));
    clearInterval(beat);
    const of = (apis: 1 | 2, key: keyof Measured) => median(measured[apis].map((one) => one[key]));
    const beside = (key: keyof Measured) => ({ name: 'one api', value: of(1, key) });
    figure('scale', 'ingest_two_apis_lines_s', of(2, 'linesPerSecond'), 'lines/s', beside('linesPerSecond'));
    figure(
      ...(['scale', 'ingest_two_apis_cpu_us_line', of(2, 'cpuMicrosPerLine'), 'µs'] as const),
      beside('cpuMicrosPerLine'),
    );
  } finally {
    await cluster.remove();
  }
}
