import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type FakeGpus, fakeGpus } from '../fake-gpus.js';
import type { StartOptions } from '../server.js';
import { tensorboard } from '../tensorboard.js';
import { Cluster } from './cluster.js';

/** A cluster in the place of `mycloud up`, for the stories that are told of a server. */
export interface ClusterForTests {
  cluster: Cluster;
  url: string;
  stop(): Promise<void>;
  resume(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Starts it with the first user logged in, as `mycloud up` leaves its command line. Its workers have GPUs of which a program of
 * the test's tells: here, as everywhere, a job for one waits for a worker that has it.
 * @param base the user's home; its folder `server` stands for the server's
 */
export async function clusterForTests(
  base: string,
  { args = [], env = {}, cluster: machines = false }: StartOptions,
): Promise<ClusterForTests> {
  // What `mycloud up` gives its one worker to offer: all there is.
  const given: Record<string, string> = { MYCLOUD_WORKER_MACHINES: 'cpu,cpu2,gpu,gpu2', ...env };
  // Nobody waits for a proxy where the whole cluster is stopped.
  if (!machines) given.MYCLOUD_SHUTDOWN_DELAY_SECONDS ??= '0';
  for (let i = 0; i < args.length; i += 2) {
    if (args[i] !== '--runner') throw new Error(`${args[i]} is of mycloud up; there is none on a cluster`);
    given.MYCLOUD_RUNNER = args[i + 1] ?? 'auto';
  }
  const gpus: FakeGpus | undefined = given.PATH ? undefined : fakeGpus(2);
  const user = os.userInfo().username;
  const cluster = await Cluster.start({ machines, env: { ...gpus?.env, ...given }, tensorboard, user }).catch(
    (error) => {
      gpus?.remove();
      throw error;
    },
  );
  const login = `${JSON.stringify({ url: cluster.url, token: cluster.token })}\n`;
  for (const [folder, file, text] of [
    ['config/mycloud', 'config.json', login],
    ['server', 'secrets.json', `${JSON.stringify({ user, token: cluster.token })}\n`],
  ] as const) {
    await mkdir(path.join(base, folder), { recursive: true });
    await writeFile(path.join(base, folder, file), text, { mode: 0o600 });
  }
  return {
    cluster,
    url: cluster.url,
    stop: () => cluster.stop(),
    resume: () => cluster.resume(),
    async remove() {
      await cluster.remove();
      gpus?.remove();
    },
  };
}
