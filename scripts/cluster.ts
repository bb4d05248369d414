// `npm run cluster`: docker-compose.yml's cluster on this machine without containers (Postgres, Redis, MinIO, two apis behind
// HAProxy, two workers, each in a network namespace of its own where one may make them), until Ctrl-C.
//   --port N        where it listens (any free port unless given)
//   --no-machines   the workers on this machine's own network
//   --exit          runs a job on each worker, then stops everything and exits
import { parseArgs } from 'node:util';
import { createClient, jobRoutes, projectRoutes, sessionRoutes } from '@mycloud/shared';
import { Cluster } from '../test/support/cluster/cluster.js';
import { mayNamespace } from '../test/support/cluster/network.js';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string' },
    'no-machines': { type: 'boolean', default: false },
    exit: { type: 'boolean', default: false },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
const machines = !options['no-machines'];
if (machines && !mayNamespace())
  say('Network namespaces need Linux, root, ip and iptables: the workers are on this machine’s own network.');
const cluster = await Cluster.start({ port: options.port ? Number(options.port) : undefined, machines });
let stopping: Promise<void> | undefined;
const stop = (): Promise<void> => {
  stopping ??= cluster.stop().then(() => cluster.remove());
  return stopping;
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().then(() => process.exit(0)));

try {
  const { url, base } = cluster;
  const { path } = await cluster.client.call(sessionRoutes.createLink, {});
  say(`The cluster is up at ${url}\n  ${url}${path}`);
  say(`Log in: mycloud login --url ${url} -u admin -p ${cluster.secret('first_password')}`);
  say(`Logs lie in ${base}/logs. Ctrl-C stops it and removes everything.`);
  if (options.exit) {
    await cluster.client.call(projectRoutes.create, { body: { name: 'first' } });
    await runEverywhere();
    await stop();
  }
} catch (error) {
  await stop();
  throw error;
}

/** Two jobs that wait for one another run on both workers. */
async function runEverywhere(): Promise<void> {
  const client = createClient({ url: cluster.url, token: cluster.token });
  const params = { owner: 'admin', project: 'first' };
  const jobs = await Promise.all(
    [1, 2].map(() => client.call(jobRoutes.create, { params, body: { command: 'echo here; sleep 3' } })),
  );
  for (const { number } of jobs) {
    const at = { params: { ...params, number } };
    let job = await client.call(jobRoutes.get, at);
    while (!job.finishedAt) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      job = await client.call(jobRoutes.get, at);
    }
    say(`${job.name}: ${job.status}`);
    if (job.status !== 'succeeded') throw new Error(`${job.name}: ${job.message}`);
  }
}
