import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppError,
  type BuiltOn,
  type Environment,
  jobRoutes,
  machineRoutes,
  nearest,
  projectRoutes,
} from '@mycloud/shared';
import { confirm } from '../confirm.js';
import { openSession, type Session } from '../context.js';
import { follow } from '../follow.js';
import { hint, print, printJson } from '../output.js';
import { bytesText, durationText, table } from '../text.js';

/** The project whose jobs build environments. */
const PROJECT = 'environments';

const partsOf = ({ npm = [], requirements }: Environment): string => [...npm, ...requirements].join(' ');

export async function envList({ json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(machineRoutes.environments, {});
  if (json) return printJson(answer);
  print(
    table(
      ['ENVIRONMENT', '', 'MADE OF', 'BUILT ON'],
      answer.items.map((one) => [one.name, one.description, partsOf(one), builtText(one.built)]),
    ),
  );
  if (answer.others.length > 0) {
    hint('\nBuilt for what is in the catalogue no more:');
    for (const one of answer.others) hint(`  ${one.environment}  ${builtText([one])}`);
  }
}

/** Worker by worker; what jobs' own requirements added to it is one figure more. */
function builtText(built: BuiltOn[]): string {
  const workers = [...new Set(built.map(({ worker }) => worker))];
  return workers
    .map((worker) => {
      const here = built.filter((one) => one.worker === worker);
      const plain = here.filter(({ extended }) => !extended);
      const more = here.filter(({ extended }) => extended);
      const bytes = (some: BuiltOn[]) => bytesText(some.reduce((sum, one) => sum + one.bytes, 0));
      const last = Math.max(...here.map(({ usedAt }) => Date.parse(usedAt)));
      const parts = [
        ...(plain.length > 0 ? [bytes(plain)] : []),
        ...(more.length > 0 ? [`${more.length} with own requirements ${bytes(more)}`] : []),
        here.some(({ inUse }) => inUse) ? 'in use' : `used ${durationText(Date.now() - last)} ago`,
      ];
      return `${worker}${here[0]?.alive ? '' : ' (away)'}: ${parts.join(', ')}`;
    })
    .join('; ');
}

async function environmentNamed(session: Session, name: string): Promise<Environment & { built: BuiltOn[] }> {
  const { items } = await session.client.call(machineRoutes.environments, {});
  const found = items.find((one) => one.name === name);
  if (found) return found;
  const names = items.map((one) => one.name);
  const near = nearest(name, names);
  throw new AppError('not_found', `there is no environment "${name}"`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `There are: ${names.join(', ')}.`,
  });
}

export async function envShow(name: string, { json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const environment = await environmentNamed(session, name);
  if (json) return printJson(environment);
  print(`${environment.name}: ${environment.description}`);
  if (environment.image) print(`  image   ${environment.image}`);
  if (environment.python) print(`  python  ${environment.python}`);
  if (environment.pythonVersions) print(`  python  ${environment.pythonVersions.join(' or ')}`);
  for (const line of environment.npm ?? []) print(`  npm     ${line}`);
  for (const line of environment.requirements) print(`  pip     ${line}`);
  if (environment.built.length === 0) return print('Built on no worker yet.');
  print('');
  print(
    table(
      ['BUILT ON', 'ID', 'SIZE', 'BUILT', 'LAST USED', ''],
      environment.built.map((one) => [
        one.worker,
        one.id,
        bytesText(one.bytes),
        `${durationText(Date.now() - Date.parse(one.builtAt))} ago`,
        one.inUse ? 'in use' : `${durationText(Date.now() - Date.parse(one.usedAt))} ago`,
        one.extended ? 'with a job’s own requirements' : '',
      ]),
    ),
  );
}

/** Has workers remove what they built of it, and waits a little for them to say that they did. */
export async function envDelete(
  name: string,
  { worker, yes, json }: { worker?: string; yes?: boolean; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const all = async () => {
    const { items, others } = await session.client.call(machineRoutes.environments, {});
    return [...items.flatMap(({ built }) => built), ...others];
  };
  const there = (await all()).filter(
    (one) => (one.environment === name || one.id === name) && (!worker || one.worker === worker),
  );
  const bytes = bytesText(there.reduce((sum, one) => sum + one.bytes, 0));
  if (there.length > 0)
    await confirm(`Remove what workers built of ${name} (${bytes})? The next job builds it anew.`, yes);
  const { items } = await session.client.call(machineRoutes.deleteEnvironment, {
    params: { name },
    query: { worker },
  });
  const key = (one: BuiltOn) => `${one.worker} ${one.id}`;
  const began = Date.now();
  const awaited = items.filter((one) => one.alive);
  let left: BuiltOn[] = awaited;
  // Whether it is in use is told with a heartbeat, and may be a moment old.
  const isOpen = (one: BuiltOn): boolean => !one.inUse || Date.now() < began + 2000;
  while (left.some(isOpen) && Date.now() < began + 10_000) {
    await sleep(200);
    const there = await all();
    left = there.filter((one) => awaited.some((asked) => key(asked) === key(one)));
  }
  const outcome = (one: BuiltOn): string => {
    if (!one.alive) return 'removed when the worker comes back';
    const still = left.find((other) => key(other) === key(one));
    if (!still) return 'removed';
    return still.inUse ? 'kept: it is in use' : 'not removed yet; see `mycloud env list`';
  };
  if (json) return printJson({ items: items.map((one) => ({ ...one, outcome: outcome(one) })) });
  print(
    table(
      ['WORKER', 'ID', 'SIZE', ''],
      items.map((one) => [one.worker, one.id, bytesText(one.bytes), outcome(one)]),
    ),
  );
}

/** A job that does nothing in it: the worker that takes it builds the environment and keeps it. */
export async function envBuild(name: string, { json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const environment = await environmentNamed(session, name);
  const params = { owner: (await session.me()).name, project: PROJECT };
  await session.client.call(projectRoutes.create, { body: { name: PROJECT } }).catch((error: unknown) => {
    if (!(error instanceof AppError && error.code === 'conflict')) throw error;
  });
  const job = await session.client.call(jobRoutes.create, {
    params,
    body: { command: 'true', environment: environment.name, description: `builds ${environment.name}` },
  });
  if (!json) hint(`${job.name} builds ${environment.name}; a worker keeps it for the jobs after it.`);
  await follow(session, { ...params, number: job.number }, { json, exitStatus: true });
}
