import { AppError, machineRoutes, nearest } from '@mycloud/shared';
import { openSession } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { bytesText, countText, table } from '../text.js';
import { usage } from '../usage.js';

interface Json {
  json?: boolean;
}

/** Shows the workers, or, with `drain NAME` or `undrain NAME`, lets one take nothing new or takes that back. */
export async function workers(
  verb: string | undefined,
  name: string | undefined,
  { json }: Json,
): Promise<void> {
  if (verb === undefined) return listWorkers({ json });
  if ((verb !== 'drain' && verb !== 'undrain') || name === undefined)
    throw usage('write `mycloud workers`, `mycloud workers drain NAME` or `mycloud workers undrain NAME`');
  const session = await openSession();
  const { items } = await session.client.call(machineRoutes.workers, {});
  const found = items.filter((worker) => worker.name === name || worker.id === name);
  const [worker] = found;
  if (!worker || found.length > 1) {
    const near = nearest(
      name,
      items.map((one) => one.name),
    );
    throw new AppError(
      'not_found',
      worker ? `several workers are called ${name}` : `there is no worker ${name}`,
      {
        hint: worker
          ? `Name one by its id: ${found.map(({ id }) => id).join(', ')}`
          : near.length > 0
            ? `Did you mean ${near.join(' or ')}?`
            : 'See `mycloud workers`.',
      },
    );
  }
  const params = { id: worker.id };
  const changed = await session.client.call(machineRoutes.drain, {
    params,
    body: { draining: verb === 'drain' },
  });
  if (json) return printJson(changed);
  if (!changed.draining) return print(`Worker ${changed.name} takes jobs again.`);
  const left = changed.jobs.length + changed.otherJobs;
  print(
    `Worker ${changed.name} takes no new job${left > 0 ? `; it finishes ${countText(left, 'job')}` : ''}.`,
  );
  hint(`To take it back: mycloud workers undrain ${changed.name}`);
}

async function listWorkers({ json }: Json): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(machineRoutes.workers, {});
  if (json) return printJson(answer);
  const rows = answer.items.map((worker) => [
    worker.name,
    `${worker.alive ? 'here' : 'away'}${worker.draining ? ', draining' : ''}`,
    worker.machines.join(' '),
    `${worker.cores} cores, ${bytesText(worker.memoryBytes)}, ${worker.gpus} GPUs`,
    worker.use?.gpus.map((gpu) => `${Math.round(gpu.percent)}%`).join(' ') ?? '',
    worker.runner,
    [...worker.jobs, ...(worker.otherJobs > 0 ? [`${worker.otherJobs} of others`] : [])].join(' '),
  ]);
  print(table(['WORKER', '', 'OFFERS', 'HAS', 'GPU USE', 'RUNNER', 'RUNS'], rows));
}
