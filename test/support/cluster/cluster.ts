import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient, tokenRoutes, userRoutes } from '@mycloud/shared';
import { preparePostgres } from '../../../apps/cli/src/up/postgres.js';
import { Program, untilTrue } from '../../faults/program.js';
import { carrying, killAll } from '../processes.js';
import { requireProgram } from '../require.js';
import { freePort } from '../services.js';
import { type Compose, checkout, readCompose, serviceOf } from './compose.js';
import { mayNamespace, type Network, namespaces, plainNetwork } from './network.js';

export interface ClusterOptions {
  /** Where everybody reaches it; any free port unless given. */
  port?: number;
  /** Workers on machines of their own (network namespaces), where that may be done. */
  machines?: boolean;
  /** For the apis and workers, beside what docker-compose.yml gives them. */
  env?: Record<string, string>;
  /** The first user's name. */
  user?: string;
  /** The program `tensorboard`, which the api's image brings. */
  tensorboard?: string;
}

/**
 * The cluster of docker-compose.yml without containers: each of its services is the real program, started with the variables,
 * secret files and proxy configuration that stand there, only addresses and folders being those of this machine. Its worker is
 * `worker-1`; a second one, `worker-2`, joins by the line that an admin gets for it, knowing nothing but the proxy's address.
 */
export class Cluster {
  readonly #programs = new Map<string, Program>();
  #compose: Compose;
  /** The first user's token. */
  token = '';

  private constructor(
    readonly base: string,
    readonly url: string,
    private readonly options: ClusterOptions,
    private readonly network: Network,
    /** Addresses and paths of containers, and what they are here; the longest first. */
    private readonly here: [string, string][],
    private readonly ports: Record<'postgres' | 'redis' | 'minio' | 'api-1' | 'api-2' | 'proxy', number>,
    compose: Compose,
  ) {
    this.#compose = compose;
  }

  /** Whether its workers are on machines of their own. */
  get apart(): boolean {
    return this.network !== plainNetwork;
  }

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const base = await mkdtemp(path.join(os.tmpdir(), 'mycloud-cluster-'));
    const network = options.machines && mayNamespace() ? namespaces() : plainNetwork;
    let cluster: Cluster | undefined;
    try {
      cluster = await Cluster.#prepare(base, options, network);
      await cluster.#startAll();
      return cluster;
    } catch (error) {
      if (cluster) await cluster.remove();
      else {
        network.close();
        await rm(base, { recursive: true, force: true });
      }
      throw error;
    }
  }

  static async #prepare(base: string, options: ClusterOptions, network: Network): Promise<Cluster> {
    for (const folder of ['logs', 'data']) mkdirSync(path.join(base, folder));
    // As a user makes them, in a checkout of his own.
    mkdirSync(path.join(base, 'deploy'));
    const script = readFileSync(path.join(checkout, 'deploy/make-secrets.sh'));
    writeFileSync(path.join(base, 'deploy/make-secrets.sh'), script, { mode: 0o755 });
    execFileSync(path.join(base, 'deploy/make-secrets.sh'), { stdio: 'ignore' });
    const ports = {
      postgres: 0,
      redis: await freePort(),
      minio: await freePort(),
      'api-1': await freePort(),
      'api-2': await freePort(),
      proxy: options.port ?? (await freePort()),
    };
    const compose = readCompose({
      MYCLOUD_ADDRESS: network.edge,
      MYCLOUD_PORT: String(ports.proxy),
      MYCLOUD_STORE_PORT: String(ports.minio),
      MYCLOUD_USER: options.user ?? '',
    });
    const here: [string, string][] = [
      ['redis:6379', `${network.inner}:${ports.redis}`],
      ['minio:9000', `${network.edge}:${ports.minio}`],
      ['api-1:7070', `${network.inner}:${ports['api-1']}`],
      ['api-2:7070', `${network.inner}:${ports['api-2']}`],
      ['proxy:7070', `${network.edge}:${ports.proxy}`],
      ['/run/secrets/', `${base}/deploy/secrets/`],
    ];
    const url = `http://${network.edge}:${ports.proxy}`;
    return new Cluster(base, url, options, network, here, ports, compose);
  }

  secret(name: string): string {
    return readFileSync(path.join(this.base, 'deploy/secrets', name), 'utf8').trim();
  }

  program(name: string): Program {
    const found = this.#programs.get(name);
    if (!found) throw new Error(`the cluster has no program ${name}`);
    return found;
  }

  get programs(): Program[] {
    return [...this.#programs.values()];
  }

  /** Each past the proxy. */
  get apis(): { url: string; pid: number }[] {
    return (['api-1', 'api-2'] as const).map((name) => ({
      url: `http://${this.network.inner}:${this.ports[name]}`,
      pid: this.#programs.get(name)?.pid ?? 0,
    }));
  }

  /** As the first user. */
  get client(): Client {
    return createClient({ url: this.url, token: this.token });
  }

  /** One api after the other is stopped in order and started again, as an upgrade does. */
  async restartApis(): Promise<void> {
    for (const name of ['api-1', 'api-2'] as const) {
      await this.program(name).stop();
      this.program(name).start();
      await this.#answers(name);
    }
  }

  /** Stops all in the reverse order; running jobs go on. */
  async stop(): Promise<void> {
    const workers = ['worker-1', 'worker-2'];
    for (const names of [workers, ['proxy'], ['api-1', 'api-2'], ['minio', 'redis'], ['postgres']])
      await Promise.all(names.map((name) => this.#programs.get(name)?.stop()));
  }

  /** All again and at once, after a stop: each waits for what it stands on. */
  async resume(): Promise<void> {
    for (const program of this.programs) {
      program.saidSince();
      program.start();
    }
    for (const program of this.programs) await this.#serves(program.name);
  }

  async remove(): Promise<void> {
    for (const program of this.programs.reverse()) await program.kill();
    killAll(carrying(this.base));
    this.network.close();
    await rm(this.base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #startAll(): Promise<void> {
    await this.#startServices();
    for (const name of ['api-1', 'api-2'] as const) {
      this.#add(name, process.execPath, [path.join(checkout, 'apps/api/dist/main.js')], {
        ...this.#environmentOf(name),
        MYCLOUD_HOST: this.network.inner,
        MYCLOUD_PORT: String(this.ports[name]),
        MYCLOUD_HOME: this.#folder(name),
        ...(!this.apart && { MYCLOUD_TRUSTED_PROXIES: '127.0.0.1' }),
        MYCLOUD_TENSORBOARD: this.options.tensorboard,
        ...this.options.env,
      });
    }
    this.#add(
      'proxy',
      requireProgram('haproxy', { paths: ['/usr/sbin/haproxy'] }),
      ['-f', path.join(checkout, 'deploy/haproxy.cfg')],
      {
        ...this.#environmentOf('proxy'),
        PROXY_BIND: `${this.network.edge}:${this.ports.proxy}`,
      },
    );
    for (const name of ['api-1', 'api-2', 'proxy']) await this.#serves(name);
    const { MYCLOUD_BOOTSTRAP_USER: user = '' } = serviceOf(this.#compose, 'api-1').environment;
    const login = { name: user, password: this.secret('first_password') };
    this.token = (await createClient({ url: this.url }).call(userRoutes.login, { body: login })).token;
    await this.#startWorkers();
  }

  async #startServices(): Promise<void> {
    const password = this.secret('postgres_password');
    const { program, url } = await preparePostgres(
      this.base,
      { databasePassword: password, queuePassword: password },
      () => undefined,
    );
    const { port, pathname } = new URL(url);
    this.here.unshift(['postgres:5432/mycloud', `127.0.0.1:${port}${pathname}`]);
    const { command, args, env, uid, gid } = program;
    this.#add('postgres', command, [...args, '-c', 'fsync=off'], env, { uid, gid, stopSignal: 'SIGINT' });
    const redis = serviceOf(this.#compose, 'redis').command.map((word) => this.#local(word));
    const redisArgs = [
      '--port',
      this.ports.redis,
      '--bind',
      this.network.inner,
      '--dir',
      this.#folder('redis'),
    ];
    // Its own words, with where it is here; `sh -c` hands "$@" on.
    const [shell = '', flag = '', script = ''] = redis;
    this.#add('redis', shell, [flag, `${script} "$@"`, 'redis', ...redisArgs.map(String)], {});
    const minio = serviceOf(this.#compose, 'minio');
    const address = `${this.network.edge}:${this.ports.minio}`;
    const [verb = ''] = minio.command;
    this.#add(
      'minio',
      requireProgram('minio'),
      [verb, this.#folder('minio'), '--address', address, '--quiet'],
      {
        ...this.#environmentOf('minio'),
        HOME: this.#folder('minio'),
      },
    );
    for (const name of ['postgres', 'redis', 'minio']) await this.#serves(name);
  }

  async #startWorkers(): Promise<void> {
    const [command = '', ...before] = [...this.network.machine('worker-1'), process.execPath];
    this.#add('worker-1', command, [...before, path.join(checkout, 'apps/worker/dist/main.js')], {
      ...this.#environmentOf('worker'),
      MYCLOUD_WORKER_NAME: 'worker-1',
      MYCLOUD_WORKER_HOME: this.#folder('worker-1'),
      MYCLOUD_DOCKER: 'off',
      ...this.options.env,
    });
    const body = { name: 'worker worker-2', kind: 'worker' as const };
    const { token } = await this.client.call(tokenRoutes.create, { body });
    const [first = '', ...rest] = [...this.network.machine('worker-2'), process.execPath];
    const joining = [
      'worker',
      '--server',
      this.url,
      '--name',
      'worker-2',
      '--home',
      this.#folder('worker-2'),
    ];
    this.#add(
      'worker-2',
      first,
      [...rest, path.join(checkout, 'apps/cli/bin/mycloud.mjs'), ...joining, '--json'],
      { HOME: this.base, MYCLOUD_WORKER_TOKEN: token, MYCLOUD_DOCKER: 'off', ...this.options.env },
    );
    for (const name of ['worker-1', 'worker-2']) await this.#serves(name);
  }

  async #serves(name: string): Promise<void> {
    const program = this.program(name);
    const probe: Record<string, () => Promise<boolean>> = {
      postgres: async () => program.said.includes('ready to accept connections'),
      redis: async () => program.said.includes('Ready to accept connections'),
      minio: async () =>
        (await fetch(`http://${this.network.edge}:${this.ports.minio}/minio/health/live`)).ok,
      'api-1': () => this.#answers('api-1').then(() => true),
      'api-2': () => this.#answers('api-2').then(() => true),
      proxy: async () => (await fetch(`${this.url}/health`)).ok,
      'worker-1': async () => program.saidSince().includes('"ready"'),
      'worker-2': async () => program.saidSince().includes('"machines"'),
    };
    const serves = probe[name];
    if (!serves) throw new Error(`nothing tells whether ${name} serves`);
    await untilTrue(`${name} serves`, serves, 90).catch((error: Error) => {
      throw new Error(`${error.message}\n${program.said.slice(-4000)}`);
    });
  }

  #answers(name: 'api-1' | 'api-2'): Promise<void> {
    const url = `http://${this.network.inner}:${this.ports[name]}/health`;
    return untilTrue(`${name} answers`, async () => (await fetch(url)).ok, 60);
  }

  /** A service's variables of docker-compose.yml. */
  #environmentOf(service: string): Record<string, string> {
    const { environment } = serviceOf(this.#compose, service);
    return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, this.#local(value)]));
  }

  #local(text: string): string {
    return this.here.reduce((local, [there, here]) => local.replaceAll(there, here), text);
  }

  #folder(name: string): string {
    const folder = path.join(this.base, 'data', name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  #add(
    name: string,
    command: string,
    args: string[],
    env: Record<string, string | undefined>,
    more: { uid?: number; gid?: number; stopSignal?: NodeJS.Signals } = {},
  ): void {
    const program = new Program({
      stopSignal: 'SIGTERM',
      ...more,
      name,
      command,
      args,
      env: { PATH: process.env.PATH, ...env },
      logFile: path.join(this.base, 'logs', `${name}.log`),
    });
    this.#programs.set(name, program);
    program.start();
  }
}
