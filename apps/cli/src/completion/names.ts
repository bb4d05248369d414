import {
  type Dataset,
  datasetRoutes,
  jobRoutes,
  machineRoutes,
  projectRoutes,
  type RouteContract,
  type RouteInput,
  type RouteOutput,
} from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { folderSettings } from '../job-file.js';
import type { Candidate } from './candidate.js';

/** Nobody waits longer for a word. */
const patienceMs = 1500;

/** Calls a route as long as somebody would wait for it. */
const ask = <R extends RouteContract>(
  { client }: Session,
  route: R,
  input: RouteInput<R>,
): Promise<RouteOutput<R>> => client.call(route, input, { signal: AbortSignal.timeout(patienceMs) });

/** Numbers of the folder's project, then the newest jobs of all by name. */
export async function jobs(): Promise<Candidate[]> {
  const session = await openSession();
  const folder = await session.folder();
  const { name: me } = await session.me();
  const about = (job: { status: string; command: string }) => `${job.status}: ${job.command.slice(0, 60)}`;
  const [here, all] = await Promise.all([
    folder ? ask(session, jobRoutes.list, { query: { ...folder, limit: 50 } }) : { items: [] },
    ask(session, jobRoutes.list, { query: { limit: 50 } }),
  ]);
  return [
    ...here.items.map((job) => ({ value: String(job.number), about: about(job) })),
    ...all.items.map((job) => ({
      value: job.owner === me ? `${job.project}/${job.number}` : job.name,
      about: about(job),
    })),
  ];
}

/** Names of datasets as short as they may be; once there is a slash, with their versions. */
export async function datasets(typed: string): Promise<Candidate[]> {
  const session = await openSession();
  const { name: me } = await session.me();
  const { items } = await ask(session, datasetRoutes.list, { query: { limit: 500 } });
  const nameOf = ({ owner, name }: Dataset) => (owner === me ? name : `${owner}/datasets/${name}`);
  return items.flatMap((one) => {
    const value = nameOf(one);
    const about = one.latest ? `${one.latest.files} files` : 'no version yet';
    const versions = typed.startsWith(`${value}/`) ? (one.latest?.number ?? 0) : 0;
    return [
      { value, about },
      ...Array.from({ length: versions }, (_, i) => ({ value: `${value}/${versions - i}` })),
    ];
  });
}

export async function environments(): Promise<Candidate[]> {
  const { items } = await ask(await openSession(), machineRoutes.environments, {});
  return items.map(({ name, description }) => ({ value: name, about: description }));
}

export async function machines(): Promise<Candidate[]> {
  const { items } = await ask(await openSession(), machineRoutes.machines, {});
  return items.map(({ name, cores, gpus }) => ({ value: name, about: `${cores} cores, ${gpus} GPUs` }));
}

export async function projects(): Promise<Candidate[]> {
  const { items } = await ask(await openSession(), projectRoutes.list, { query: { limit: 500 } });
  return items.map(({ name, description }) => ({ value: name, about: description }));
}

/** Of this folder's mycloud.yml. */
export async function tasks(): Promise<Candidate[]> {
  return (await folderSettings(undefined)).tasks.map((value) => ({ value }));
}
