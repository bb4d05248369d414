import {
  AppError,
  type Environment,
  jobRoutes,
  machineRoutes,
  nearest,
  projectRoutes,
} from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { follow } from '../follow.js';
import { hint, print, printJson } from '../output.js';
import { table } from '../text.js';

/** The project whose jobs build environments. */
const PROJECT = 'environments';

const partsOf = ({ npm = [], requirements }: Environment): string => [...npm, ...requirements].join(' ');

export async function envList({ json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(machineRoutes.environments, {});
  if (json) return printJson(answer);
  print(
    table(
      ['ENVIRONMENT', '', 'MADE OF'],
      answer.items.map((one) => [one.name, one.description, partsOf(one)]),
    ),
  );
}

async function environmentNamed(session: Session, name: string): Promise<Environment> {
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
  for (const line of environment.npm ?? []) print(`  npm  ${line}`);
  for (const line of environment.requirements) print(`  pip  ${line}`);
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
