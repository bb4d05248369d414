import { mkdirSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { preparePostgres } from '../../apps/cli/src/up/postgres.js';
import { freePort } from '../support/services.js';
import { mayMount, mountSmall, type SmallDisk } from '../support/small-disk.js';
import type { Targets } from './adversary.js';
import { bubblewrap, fakeClock } from './installed.js';
import { Link } from './link.js';
import { Program, untilTrue } from './program.js';
import {
  apiSpec,
  minioSpec,
  redisSpec,
  type Spec,
  secret,
  storeEnvOf,
  withPort,
  workerSpec,
} from './specs.js';

const diskBytes = 96 * 2 ** 20;

export interface Shape {
  queue: 'postgres' | 'redis';
  store: 'directory' | 'minio';
  /** The second worker has a small disk of its own, which can be filled. */
  smallDisk: boolean;
  clocks: boolean;
}

/** Two apis, two workers and what they stand on, on ports and in folders of their own, every line between them breakable. */
export class Deployment {
  readonly base: string;
  readonly targets: Targets = { programs: [], links: [], disks: [], clocks: [] };
  #programs = new Map<string, Program>();
  #links = new Map<string, Link>();
  #disks: SmallDisk[] = [];
  databaseUrl = '';
  /** An api was killed: what it was writing is still there. */
  killedApi = false;

  private constructor(
    readonly shape: Shape,
    base: string,
  ) {
    this.base = base;
  }

  static async start(shape: Shape): Promise<Deployment> {
    const deployment = new Deployment(shape, await mkdtemp(path.join(os.tmpdir(), 'mycloud-faults-')));
    try {
      await deployment.#start();
    } catch (error) {
      const kept = `${deployment.base}-did-not-start`;
      await cp(path.join(deployment.base, 'logs'), kept, { recursive: true });
      await deployment.remove();
      throw new Error(`a deployment did not start; its logs are in ${kept}`, { cause: error });
    }
    return deployment;
  }

  /** A client as a person has it: by the load balancer before both apis. */
  get client(): Client {
    return createNodeClient({ url: this.#urlOf('client-api'), token: secret('user') });
  }

  get programs(): Program[] {
    return [...this.#programs.values()];
  }

  /** Folders that hold attempts: nothing may be left in them. */
  get attemptFolders(): string[] {
    return [1, 2].map((n) => path.join(this.base, `worker-${n}`, 'attempts'));
  }

  get storeFolder(): string {
    return path.join(this.base, 'home', 'store');
  }

  program(name: string): Program {
    const found = this.#programs.get(name);
    if (!found) throw new Error(`there is no program ${name}`);
    return found;
  }

  link(name: string): Link {
    const found = this.#links.get(name);
    if (!found) throw new Error(`there is no line ${name}`);
    return found;
  }

  /** Writes a disk full. @returns empties it again */
  async fill(disk: string): Promise<() => Promise<void>> {
    const file = path.join(this.base, disk, 'full');
    const handle = await open(file, 'w');
    const block = Buffer.alloc(2 ** 16);
    try {
      for (;;) if ((await handle.write(block)).bytesWritten < block.length) break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
    await handle.close();
    return () => rm(file, { force: true });
  }

  /** Sets a program's clock off by so many seconds. */
  async setClock(name: string, seconds: number): Promise<void> {
    writeFileSync(this.#clockFile(name), `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  /** An orderly end of all. @returns programs that had to be killed */
  async stop(): Promise<string[]> {
    for (const link of this.#links.values()) link.heal();
    const killed: string[] = [];
    for (const program of this.programs.reverse()) if (!(await program.stop())) killed.push(program.name);
    return killed;
  }

  async remove(): Promise<void> {
    for (const program of this.programs) {
      program.wake();
      await program.kill();
    }
    for (const link of this.#links.values()) await link.close();
    for (const disk of this.#disks) disk.unmount('lazily');
    await rm(this.base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #start(): Promise<void> {
    const { queue, store } = this.shape;
    mkdirSync(path.join(this.base, 'logs'));
    const database = await preparePostgres(
      this.base,
      { databasePassword: secret('database'), queuePassword: secret('queue') },
      () => undefined,
    );
    this.databaseUrl = database.url;
    const { command, args, env, uid, gid } = database.program;
    this.#add('postgres', { command, args: [...args, '-c', 'fsync=off'], env, uid, gid }, 'SIGINT');
    const databasePort = Number(new URL(database.url).port);

    const redisPort = queue === 'redis' ? await this.#startRedis() : undefined;
    const storeEnv = store === 'minio' ? await this.#startMinio() : {};
    const apis = [];
    for (const n of [1, 2])
      apis.push(await this.#startApi(n, database.url, databasePort, redisPort, storeEnv));
    await this.#line('client-api', apis);
    await untilTrue('the api answers', () => this.#healthy(), 60);
    for (const n of [1, 2]) await this.#startWorker(n, apis, database.queueUrl, databasePort, redisPort);
    await untilTrue(
      'both workers serve',
      async () => [1, 2].every((n) => this.program(`worker-${n}`).said.includes('"ready"')),
      60,
    );
    this.targets.links = this.targets.links.filter((name) => name !== 'client-api');
  }

  async #healthy(): Promise<boolean> {
    return (await fetch(`${this.#urlOf('client-api')}/health`)).ok;
  }

  async #startRedis(): Promise<number> {
    const port = await freePort();
    this.#add('redis', redisSpec(port, this.#folder('redis')));
    return port;
  }

  async #startMinio(): Promise<Record<string, string>> {
    const port = await freePort();
    this.#add('minio', minioSpec(port, this.#folder('minio')));
    // Signed URLs name the host: all go by one line.
    const line = await this.#line('store', [port]);
    await untilTrue(
      'MinIO answers',
      async () => (await fetch(`http://127.0.0.1:${port}/minio/health/live`)).ok,
      30,
    );
    return storeEnvOf(line.port);
  }

  async #startApi(
    n: number,
    databaseUrl: string,
    databasePort: number,
    redisPort: number | undefined,
    storeEnv: Record<string, string>,
  ): Promise<number> {
    const port = await freePort();
    const database = await this.#line(`api-${n}-postgres`, [databasePort]);
    const redis = redisPort && (await this.#line(`api-${n}-redis`, [redisPort]));
    this.#add(
      `api-${n}`,
      apiSpec({
        port,
        home: this.#folder('home'),
        databaseUrl: withPort(databaseUrl, database.port),
        redisUrl: redis ? `redis://127.0.0.1:${redis.port}` : undefined,
        storeEnv,
      }),
    );
    return port;
  }

  async #startWorker(
    n: number,
    apis: number[],
    queueUrl: string,
    databasePort: number,
    redisPort: number | undefined,
  ): Promise<void> {
    const name = `worker-${n}`;
    // The two prefer another api each, and go to the other one when it is away.
    await this.#line(`${name}-api`, n === 1 ? apis : apis.toReversed());
    const queue = await this.#line(`${name}-queue`, [redisPort ?? databasePort]);
    const home = this.#folder(name);
    if (n === 2 && this.shape.smallDisk && mayMount) {
      this.#disks.push(mountSmall(home, String(diskBytes)));
      this.targets.disks.push(name);
    }
    this.#add(
      name,
      workerSpec({
        name,
        home,
        url: this.#urlOf(`${name}-api`),
        queueUrl: redisPort ? `redis://127.0.0.1:${queue.port}` : withPort(queueUrl, queue.port),
        runner: n === 1 && bubblewrap ? 'bubblewrap' : 'process',
      }),
    );
  }

  #add(name: string, spec: Spec, stopSignal: NodeJS.Signals = 'SIGTERM'): void {
    const env = { ...spec.env };
    if (this.shape.clocks && fakeClock && name !== 'redis' && name !== 'minio') {
      writeFileSync(this.#clockFile(name), '+0\n');
      Object.assign(env, {
        LD_PRELOAD: fakeClock,
        FAKETIME_TIMESTAMP_FILE: this.#clockFile(name),
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      });
      this.targets.clocks.push(name);
    }
    const program = new Program({
      ...spec,
      env,
      name,
      stopSignal,
      logFile: path.join(this.base, 'logs', `${name}.log`),
    });
    this.#programs.set(name, program);
    this.targets.programs.push(name);
    program.start();
  }

  async #line(name: string, ends: number[]): Promise<Link> {
    const link = await Link.open(name, ends);
    this.#links.set(name, link);
    this.targets.links.push(name);
    return link;
  }

  #folder(name: string): string {
    const folder = path.join(this.base, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  #clockFile(name: string): string {
    return path.join(this.base, 'logs', `${name}.clock`);
  }

  #urlOf(link: string): string {
    return `http://127.0.0.1:${this.link(link).port}`;
  }
}
