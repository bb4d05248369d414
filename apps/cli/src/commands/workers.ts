import { AppError, machineRoutes, nearest, tokenRoutes, type WorkerInfo } from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { bytesText, countText, table } from '../text.js';
import { usage } from '../usage.js';

interface Options {
  force?: boolean;
  json?: boolean;
}

/** Shows the workers, or does what the verb says with one of that name. */
export async function workers(
  verb: string | undefined,
  name: string | undefined,
  options: Options,
): Promise<void> {
  if (verb === undefined) return listWorkers(options);
  const does = { add, drain, undrain, remove }[verb];
  if (!does || name === undefined)
    throw usage('write `mycloud workers`, or `mycloud workers add | drain | undrain | remove NAME`');
  await does(await openSession(), name, options);
}

/** Makes a token for one more, and says what to type where it is to run. */
async function add({ client, login }: Session, name: string, { json }: Options): Promise<void> {
  const { token } = await client.call(tokenRoutes.create, {
    body: { name: `worker ${name}`, kind: 'worker' },
  });
  const command = `mycloud worker --server ${login.url} --name ${name} --token ${token}`;
  if (json) return printJson({ name, token, command });
  print(command);
  hint(
    'Type this on the machine that is to run jobs. The token is shown this once; `workers remove` ends it.',
  );
  if (/^https?:\/\/(localhost|127\.|\[::1\])/.test(login.url))
    hint(
      `${login.url} is this machine alone: put in the address at which the other one reaches this server.`,
    );
}

const drain = (session: Session, name: string, options: Options) => setDraining(session, name, true, options);
const undrain = (session: Session, name: string, options: Options) =>
  setDraining(session, name, false, options);

async function setDraining(
  { client }: Session,
  name: string,
  draining: boolean,
  { json }: Options,
): Promise<void> {
  const { id } = await workerNamed({ client }, name);
  const changed = await client.call(machineRoutes.drain, { params: { id }, body: { draining } });
  if (json) return printJson(changed);
  if (!changed.draining) return print(`Worker ${changed.name} takes jobs again.`);
  const left = changed.jobs.length + changed.otherJobs;
  print(
    `Worker ${changed.name} takes no new job${left > 0 ? `; it finishes ${countText(left, 'job')}` : ''}.`,
  );
  hint(`To take it back: mycloud workers undrain ${changed.name}`);
}

/** Takes one away, with its token where no other has it. */
async function remove({ client }: Session, name: string, { force, json }: Options): Promise<void> {
  const { id } = await workerNamed({ client }, name);
  const removed = await client.call(machineRoutes.removeWorker, {
    params: { id },
    query: force ? { force: 'true' } : {},
  });
  if (json) return printJson(removed);
  const { jobs } = removed;
  print(
    `Worker ${removed.name} is removed${jobs > 0 ? `; ${countText(jobs, 'job')} of it tried again` : ''}.`,
  );
  hint(
    removed.tokenRevoked
      ? 'Its token is revoked.'
      : "Its token stays good, since other workers or the server's settings have it: stop the worker too, or it comes back at its next start.",
  );
}

async function workerNamed({ client }: Pick<Session, 'client'>, name: string): Promise<WorkerInfo> {
  const { items } = await client.call(machineRoutes.workers, {});
  const found = items.filter((worker) => worker.name === name || worker.id === name);
  const [worker] = found;
  if (worker && found.length === 1) return worker;
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

async function listWorkers({ json }: Options): Promise<void> {
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
    worker.version,
    [...worker.jobs, ...(worker.otherJobs > 0 ? [`${worker.otherJobs} of others`] : [])].join(' '),
  ]);
  print(table(['WORKER', '', 'OFFERS', 'HAS', 'GPU USE', 'RUNNER', 'RELEASE', 'RUNS'], rows));
}
