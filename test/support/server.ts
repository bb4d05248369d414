import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Client, type Job, jobRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import type { Cluster } from './cluster/cluster.js';
import type { ClusterForTests } from './cluster/for-tests.js';
import { carrying, killAll } from './processes.js';

/** `mycloud` as it lies in this checkout. */
export const cliProgram = path.resolve(import.meta.dirname, '../../apps/cli/bin/mycloud.mjs');

/** Whether the servers of this run are clusters: `it.skipIf(onCluster)` for what is told of `mycloud up` itself. */
export const onCluster = process.env.MYCLOUD_TEST_ON === 'cluster';

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface TestServer {
  url: string;
  home: string;
  pid: number;
  /** What it is instead of `mycloud up`. */
  cluster?: Cluster;
  /** A folder of the user's, empty at the start. */
  folder: string;
  /** Runs `mycloud ARGS` in the user's folder, logged in. */
  cli(
    args: string[],
    options?: { cwd?: string; env?: Record<string, string>; input?: string },
  ): Promise<CliResult>;
  /** Like cli, and parses its --json; a failure throws with what it said. */
  json<T>(args: string[], options?: { cwd?: string }): Promise<T>;
  /** The API's client, as the first user. */
  client(): Promise<Client>;
  /** A folder in the user's with these files, of a project of that name. @returns where it is */
  project(name: string, files?: Record<string, string>): Promise<string>;
  /** Waits for a job's end. @returns the job as it is then */
  ended(job: Pick<Job, 'owner' | 'project' | 'number'>, seconds?: number): Promise<Job>;
  /** Starts `mycloud ARGS` and leaves it running. */
  start(args: string[], options?: { cwd?: string }): ChildProcess;
  /** SIGTERM to `mycloud up`, waits for its end. */
  stop(): Promise<void>;
  /** `mycloud up` again on the same home, after a stop. */
  restart(): Promise<void>;
  /** Stops, and removes every folder. */
  remove(): Promise<void>;
}

export interface StartOptions {
  env?: Record<string, string>;
  args?: string[];
  /** A cluster whatever MYCLOUD_TEST_ON says, its workers on machines of their own where that may be done. */
  cluster?: boolean;
  /** Another `mycloud` than that of this checkout. */
  program?: string;
  /** Fills the home before the first start. */
  prepare?: (home: string) => Promise<void>;
}

/**
 * `mycloud up` on a home and a user's home of its own, on a free port: what a person gets, with nothing shared. With
 * MYCLOUD_TEST_ON=cluster it is a cluster that is asked, which `npm run cluster` shows.
 */
export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  const base = await mkdtemp(path.join(os.tmpdir(), 'mycloud-e2e-'));
  const home = path.join(base, 'server');
  const folder = await mkdtemp(path.join(base, 'user-'));
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: base,
    XDG_CONFIG_HOME: path.join(base, 'config'),
    XDG_CACHE_HOME: path.join(base, 'cache'),
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    ...options.env,
  };
  const program = options.program ?? cliProgram;
  let up: ChildProcess | undefined;
  let cluster: ClusterForTests | undefined;
  const server: TestServer = {
    url: '',
    home,
    pid: 0,
    folder,
    start: (args, { cwd = folder } = {}) =>
      spawn(process.execPath, [program, ...args], { cwd, env, stdio: 'pipe' }),
    async cli(args, { cwd = folder, env: extra, input } = {}) {
      const child = spawn(process.execPath, [program, ...args], {
        cwd,
        env: { ...env, ...extra },
        stdio: 'pipe',
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (bytes) => (stdout += bytes));
      child.stderr.on('data', (bytes) => (stderr += bytes));
      child.stdin.end(input ?? '');
      const [code] = await once(child, 'close');
      return { code: code ?? -1, stdout, stderr };
    },
    async json<T>(args: string[], jsonOptions?: { cwd?: string }) {
      const { code, stdout, stderr } = await server.cli([...args, '--json'], jsonOptions);
      if (code !== 0) throw new Error(`mycloud ${args.join(' ')} exited ${code}\n${stderr}\n${stdout}`);
      return JSON.parse(stdout) as T;
    },
    async client() {
      const config = await readFile(path.join(base, 'config/mycloud/config.json'), 'utf8');
      return createNodeClient({ url: server.url, token: (JSON.parse(config) as { token: string }).token });
    },
    async project(name, files = {}) {
      const cwd = path.join(folder, name);
      await mkdir(cwd);
      for (const [file, text] of Object.entries(files)) await writeFile(path.join(cwd, file), text);
      await server.cli(['init', name], { cwd });
      return cwd;
    },
    async ended({ owner, project, number }, seconds = 60) {
      const client = await server.client();
      const look = async () => {
        const now = await client.call(jobRoutes.get, { params: { owner, project, number } });
        return now.finishedAt !== null && now;
      };
      return eventually(`job ${number} of ${project} ends`, look, seconds);
    },
    async stop() {
      if (cluster) return cluster.stop();
      if (!up || up.exitCode !== null || up.signalCode !== null) return;
      const closed = once(up, 'close');
      up.kill('SIGTERM');
      await closed;
    },
    async restart() {
      if (cluster) return cluster.resume();
      if (options.cluster || onCluster) {
        const { clusterForTests } = await import('./cluster/for-tests.js');
        cluster = await clusterForTests(base, options);
        server.cluster = cluster.cluster;
        server.url = cluster.url;
        // Its programs are this process's own.
        server.pid = process.pid;
        return;
      }
      const port = server.url ? new URL(server.url).port : '0';
      const args = [program, 'up', '--home', home, '--port', port, '--json', ...(options.args ?? [])];
      up = spawn(process.execPath, args, { env, cwd: base, stdio: ['ignore', 'pipe', 'pipe'] });
      let errors = '';
      let isReady = false;
      up.stderr?.on('data', (bytes) => (errors += bytes));
      for await (const line of createInterface({ input: up.stdout! })) {
        if (!line.startsWith('{')) continue;
        server.url = (JSON.parse(line) as { url: string }).url;
        isReady = true;
        break;
      }
      up.stdout?.resume();
      if (!isReady) throw new Error(`mycloud up did not get ready:\n${errors}`);
      server.pid = up.pid!;
    },
    async remove() {
      await server.stop();
      await cluster?.remove();
      // Running jobs outlive their server; they don't outlive the test.
      killAll(carrying(base));
      await rm(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
  await options.prepare?.(home);
  await server.restart();
  return server;
}

/** Waits until `probe` answers something true, looking every 100 ms. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  seconds = 60,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
