import { machineRoutes, type RouteOutput } from '@mycloud/shared';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';
import { countText, table } from '../text.js';
import { watch } from '../watch.js';

/** Shows who waits, in the order they are taken, and why. */
export async function queue(options: { watch?: boolean; json?: boolean }): Promise<void> {
  const session = await openSession();
  const look = () => session.client.call(machineRoutes.queue, { query: { limit: 2000 } });
  if (options.watch) return watch({ look, text: queueText, json: options.json });
  const answer = await look();
  if (options.json) printJson(answer);
  else print(queueText(answer));
}

function queueText({ items, total }: RouteOutput<typeof machineRoutes.queue>): string {
  const hidden = total - items.length;
  const rows = items.map((job) => [job.name, job.machine, String(job.place), job.reason]);
  const yours =
    items.length === 0 ? 'Nothing of yours waits.\n' : table(['JOB', 'MACHINE', 'PLACE', 'WHY'], rows);
  return hidden > 0 ? `${yours}${countText(hidden, 'more job')} wait.\n` : yours;
}
