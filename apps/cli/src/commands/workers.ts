import { machineRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';
import { bytesText, table } from '../text.js';

export async function workers({ json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(machineRoutes.workers, {});
  if (json) return printJson(answer);
  const rows = answer.items.map((worker) => [
    worker.name,
    worker.alive ? 'here' : 'away',
    worker.machines.join(' '),
    `${worker.cores} cores, ${bytesText(worker.memoryBytes)}, ${worker.gpus} GPUs`,
    worker.runner,
    worker.jobs.join(' '),
  ]);
  print(table(['WORKER', '', 'OFFERS', 'HAS', 'RUNNER', 'RUNS'], rows));
}
