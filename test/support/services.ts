import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { freePort as freePortFor } from '../../apps/cli/src/up/ports.js';
import { requireProgram } from './require.js';
import { eventually } from './server.js';

/** Linux ends what stands behind these words with this process, however that ends: a test run that is cut off leaves no service. */
const withParent = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];

/** A service of a test's own: a free port, a folder that goes with it. */
export interface RunningService {
  url: string;
  process: ChildProcess;
  /** SIGKILL, as by a crash; its folder and port stay for `revive`. */
  kill(): Promise<void>;
  revive(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<RunningService> {
  const program = requireProgram('redis-server');
  const port = await freePort();
  return start(
    program,
    (dir) => ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
    {
      url: `redis://127.0.0.1:${port}`,
      ready: () => connects(port),
    },
  );
}

/** What a server is given to keep its bytes in a bucket of a test's S3 server. */
export const bucketEnv = ({ url }: RunningService, bucket: string): Record<string, string> => ({
  S3_ENDPOINT: url,
  S3_BUCKET: bucket,
  S3_ACCESS_KEY: 'tester',
  S3_SECRET_KEY: 'tester-secret',
});

/** MinIO with the keys tester / tester-secret. */
export async function startMinio(): Promise<RunningService> {
  const program = requireProgram('minio');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return start(program, (dir) => ['server', dir, '--address', `127.0.0.1:${port}`, '--quiet'], {
    url,
    env: { MINIO_ROOT_USER: 'tester', MINIO_ROOT_PASSWORD: 'tester-secret' },
    ready: async () => (await fetch(`${url}/minio/health/live`)).ok,
  });
}

/** versitygw over a folder, a second S3 server, with the keys tester / tester-secret. */
export async function startVersitygw(): Promise<RunningService> {
  const program = requireProgram('versitygw');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ['--port', `127.0.0.1:${port}`, '--access', 'tester', '--secret', 'tester-secret', '--quiet'];
  return start(program, (dir) => [...args, '--health', '/health', 'posix', dir], {
    url,
    ready: async () => (await fetch(`${url}/health`)).ok,
  });
}

async function start(
  program: string,
  args: (dir: string) => string[],
  options: { url: string; env?: Record<string, string>; ready: () => Promise<boolean> },
): Promise<RunningService> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-service-'));
  const launch = async (): Promise<ChildProcess> => {
    const [command = program, ...words] = [...withParent, program, ...args(dir)];
    const child = spawn(command, words, {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, HOME: dir, ...options.env },
    });
    await eventually(`${program} answers`, async () => {
      if (child.exitCode !== null) throw new Error(`${program} exited with ${child.exitCode}`);
      // Until it listens, asking fails.
      return options.ready().catch(() => false);
    });
    return child;
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (service.process.exitCode !== null || service.process.signalCode !== null) return;
    const closed = once(service.process, 'close');
    service.process.kill(signal);
    await closed;
  };
  const service: RunningService = {
    url: options.url,
    process: await launch(),
    kill: () => end('SIGKILL'),
    async revive() {
      service.process = await launch();
    },
    async stop() {
      await end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
  return service;
}

function connects(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`).then(
    () => true,
    // Redis hangs up on HTTP: something listens, unless the connection was refused.
    (error: Error & { cause?: { code?: string } }) => error.cause?.code !== 'ECONNREFUSED',
  );
}

/**
 * Each worker of vitest has a thousand ports, below those that `mycloud up` and outgoing connections choose from: a cluster
 * chooses all of its ports long before the last is taken.
 */
const firstPort = 12_000 + 1000 * (Number(process.env.VITEST_POOL_ID ?? 0) % 8);
let chosenPorts = randomInt(1000);

/** A port of this machine's own that nothing listens on now, and that no other test is given. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    const port = firstPort + (chosenPorts++ % 1000);
    if ((await freePortFor(port)) === port) return port;
  }
  throw new Error(`ports ${firstPort} to ${firstPort + 999} are all taken`);
}
