import type { Attempt } from './fake-api.js';
import { until, type World } from './world.js';

export const MiB = 2 ** 20;
/** A machine type, of 96 MiB unless said. */
export const machine = (name: string, more = {}) => ({
  name,
  cores: 1,
  memoryBytes: 96 * MiB,
  gpus: 0,
  ...more,
});
/** One that takes the whole node. */
const all = machine('cpu', { cores: 32 });
/** What mycloud itself said in an attempt's log. */
export const system = (attempt: Attempt | undefined): string[] =>
  (attempt?.lines ?? []).filter(({ source }) => source === 'system').map(({ text }) => text);

/** Slurm's own view of an attempt's jobs: id and state, the newest first. */
export async function inSlurm(world: World, jobId: string): Promise<{ id: string; state: string }[]> {
  const text = await world.slurm.run('squeue', '-h', '-t', 'all', '-o', '%i %T %j', '-S', '-i');
  const lines = text.split('\n').filter((line) => line.includes(jobId));
  return lines.map((line) => ({ id: line.split(' ')[0]!, state: line.split(' ')[1]! }));
}

export const idOf = async (world: World, jobId: string): Promise<string> =>
  (await until(async () => (await inSlurm(world, jobId))[0], 'its job in Slurm')).id;

/** A job that has the whole node, and one that waits for it. */
export async function fullAndWaiting(world: World): Promise<[string, string]> {
  const first = world.submit('echo ready; sleep 1000', { machine: all });
  await world.line(first, 'ready');
  const second = world.submit('echo turn', { machine: all });
  await until(() => system(world.attempt(second)).some((line) => line.includes('Resources')), 'the reason');
  return [first, second];
}
