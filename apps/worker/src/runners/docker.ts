import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import Docker from 'dockerode';
import { EnvironmentError } from '../environments/environment.js';
import { endContainerSessions, execInContainer } from '../exec/docker.js';
import { freeLoopbackPort } from '../free-port.js';
import { cellMemory } from '../limits/cgroup-cell.js';
import type { Enforced } from '../limits/limits.js';
import { type Metadata, metadataOpen } from '../limits/metadata.js';
import { bringImage } from './docker-image.js';
import { type ContainerNetwork, openNetwork } from './docker-network.js';
import { dockerScript, runPath } from './docker-supervisor.js';
import { type JobDirs, type JobProcess, type Launch, ownPaths, type Runner } from './runner.js';
import { readExitCode } from './supervisor.js';

const markerLabel = 'mycloud.execution';
const homeLabel = 'mycloud.home';
const answerWithinMs = 15_000;
/** Where a container has a network of its own: the port that FloydHub's servers listened on. */
const ownPort = 5000;

export interface DockerOptions {
  /** unix:// address of an engine that speaks Docker's API and sees this machine's files, or `off`. */
  docker: string;
  /** Its name, `host` or `none`. */
  network: string;
  /** Whether a cloud's metadata is closed to containers, where that can be done. */
  metadata: 'closed' | 'open';
  /** The worker's: its containers are told from another worker's by it. */
  home: string;
}

export interface DockerRunner extends Runner {
  /** Whether the engine answers; their network is open then. */
  works(): Promise<boolean>;
  /** A cloud's, for containers. */
  readonly metadata: Metadata;
  /** Removes this worker's containers whose executions aren't named. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** The job is a container of an image, under the engine's limits. */
export function dockerRunner({
  docker: address,
  network: wanted,
  metadata,
  home,
}: DockerOptions): DockerRunner {
  const docker = new Docker({ socketPath: address.replace(/^unix:\/\//, '') });
  const worker = createHash('sha256').update(home).digest('hex').slice(0, 12);
  const enforced: Enforced = { memory: false, cpu: false, processes: false };
  let rootless = false;
  let network: ContainerNetwork = { mode: wanted, metadata: metadataOpen('no engine answered') };

  const containerOf = (job: JobProcess): Docker.Container => docker.getContainer(job.container ?? '');

  return {
    name: 'docker',
    mountsReadOnly: true,
    limits: { kind: 'docker', enforced },
    paths: ownPaths,
    get metadata() {
      return network.metadata;
    },
    async works() {
      if (address === 'off') return false;
      try {
        const late = sleep(answerWithinMs, undefined, { ref: false }).then(() => {
          throw new Error(`no answer within ${answerWithinMs} ms`);
        });
        const info: EngineInfo = await Promise.race([docker.info(), late]);
        enforced.memory = info.MemoryLimit;
        enforced.cpu = info.CpuCfsQuota;
        enforced.processes = info.PidsLimit;
        rootless = info.Rootless === true || (info.SecurityOptions ?? []).some((one) => /rootless/.test(one));
        network = await openNetwork(docker, wanted, { name: info.Name, rootless }, metadata);
        return true;
      } catch {
        return false;
      }
    },
    bring: (environment, say, signal) => bringImage(docker, environment, say, signal),
    async start(launch) {
      const { dirs, marker } = launch;
      // The worker follows it from the start, and the container may not yet write.
      await (await open(path.join(dirs.run, 'log'), 'a')).close();
      const user = rootless ? '0:0' : `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
      const labels = { [markerLabel]: marker, [homeLabel]: worker };
      const container = await docker.createContainer(
        containerOptions(launch, { user, labels, network: network.mode }),
      );
      try {
        await container.start();
        const { State: state } = await container.inspect();
        return { pid: state.Pid, startTime: state.StartedAt, marker, cell: [], container: container.id };
      } catch (error) {
        await container.remove({ force: true });
        throw error;
      }
    },
    async isAlive(job) {
      try {
        const { State: state } = await containerOf(job).inspect();
        return state.Running;
      } catch (error) {
        // An engine that is away, being restarted say, tells nothing of its containers.
        return !isGone(error);
      }
    },
    async exitCode(job, runDir) {
      const code = await readExitCode(runDir);
      if (code !== null) return code;
      try {
        const { State: state } = await containerOf(job).inspect();
        return state.ExitCode;
      } catch (error) {
        if (isGone(error)) return null;
        throw error;
      }
    },
    async usage(job) {
      const stats = await containerOf(job).stats({ stream: false, 'one-shot': true });
      const { usage = 0, stats: parts } = stats.memory_stats;
      // What is only kept of files in case it is read again, the kernel gives back before anything else.
      const files = parts as { inactive_file?: number; total_inactive_file?: number } | undefined;
      const cached = files?.total_inactive_file ?? files?.inactive_file ?? 0;
      const cpu = stats.cpu_stats.cpu_usage.total_usage / 1e9;
      return { cpuSeconds: new Map([['container', cpu]]), memoryBytes: usage - cached };
    },
    async signal(job, _, signal) {
      try {
        await containerOf(job).kill({ signal });
        return 1;
      } catch (error) {
        if (isGone(error) || isStopped(error)) return 0;
        throw error;
      }
    },
    exec: (job, _, request) => execInContainer(containerOf(job), request),
    endSessions: (job) => endContainerSessions(containerOf(job)),
    async choosePort() {
      if (network.mode === 'host') return freeLoopbackPort();
      if (network.mode !== 'none') return { host: '0.0.0.0', port: ownPort };
      throw new EnvironmentError(
        'containers of this worker have no network (MYCLOUD_DOCKER_NETWORK=none), so nothing in them can be reached',
      );
    },
    async reachPort(job, port) {
      if (network.mode === 'host') return port;
      const { NetworkSettings: settings } = await containerOf(job).inspect();
      const published = settings.Ports[`${port}/tcp`]?.[0]?.HostPort;
      if (!published) throw new AppError('unavailable', `the engine has published no port ${port}`);
      return Number(published);
    },
    async memory(job, runDir) {
      const seen = cellMemory([runDir]);
      const state = await containerOf(job)
        .inspect()
        .then((info) => info.State)
        .catch((error: unknown) => {
          if (isGone(error)) return null;
          throw error;
        });
      return state?.OOMKilled ? { ...seen, oomKills: Math.max(1, seen.oomKills) } : seen;
    },
    async clear(job) {
      await containerOf(job)
        .remove({ force: true, v: true })
        .catch((error: unknown) => {
          if (!isGone(error)) throw error;
        });
    },
    async sweep(keep) {
      const filters = { label: [`${homeLabel}=${worker}`] };
      for (const { Id: id, Labels: labels } of await docker.listContainers({ all: true, filters })) {
        if (!keep.has(labels[markerLabel] ?? ''))
          await docker.getContainer(id).remove({ force: true, v: true });
      }
    },
  };
}

/** Of GET /info; podman says of itself that it is rootless, Docker among its security options. */
interface EngineInfo {
  /** Its machine's. */
  Name: string;
  MemoryLimit: boolean;
  CpuCfsQuota: boolean;
  PidsLimit: boolean;
  Rootless?: boolean;
  SecurityOptions?: string[];
}

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;
const isGone = (error: unknown): boolean => statusOf(error) === 404;
const isStopped = (error: unknown): boolean => statusOf(error) === 409;

function containerOptions(
  { command, env, marker, dirs, environment, gpus, limit, port }: Launch,
  own: { user: string; labels: Record<string, string>; network: string },
): Docker.ContainerCreateOptions {
  const all = { ...env, MYCLOUD_EXECUTION: marker };
  return {
    name: `mycloud-${marker}`,
    Image: environment.image?.id,
    Entrypoint: ['/bin/sh', '-c', dockerScript, 'mycloud-job'],
    Cmd: [command],
    Env: Object.entries(all).map(([name, value]) => `${name}=${value}`),
    WorkingDir: '/code',
    // What it writes belongs to the worker, which must be able to save and remove it.
    User: own.user,
    Labels: own.labels,
    ...(port !== null && own.network !== 'host' ? { ExposedPorts: { [`${port}/tcp`]: {} } } : {}),
    HostConfig: {
      // To this machine alone, at whatever port is free.
      ...(port !== null && own.network !== 'host'
        ? { PortBindings: { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }
        : {}),
      Mounts: mountsOf(dirs),
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      NetworkMode: own.network,
      Memory: limit.memoryBytes,
      // Memory and swap together: no swap.
      MemorySwap: limit.memoryBytes,
      // Counts as memory; loaders of PyTorch hand batches through it.
      ShmSize: Math.floor(limit.memoryBytes / 2),
      PidsLimit: limit.processes,
      ...(limit.cores === null ? {} : { CpuPeriod: 100_000, CpuQuota: Math.round(limit.cores * 100_000) }),
      Init: true,
      LogConfig: { Type: 'none', Config: {} },
      ...(gpus.length > 0
        ? { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: gpus, Capabilities: [['gpu']] }] }
        : {}),
    },
  };
}

/** As mounts and not as binds: a source that isn't there is an error, instead of a new folder. */
function mountsOf(dirs: JobDirs): Docker.MountSettings[] {
  const paths = ownPaths(dirs);
  const bind = (Source: string, Target: string, ReadOnly = false): Docker.MountSettings => ({
    Type: 'bind',
    Source,
    Target,
    ReadOnly,
  });
  return [
    ...dirs.mounts.map(({ name, dir }) => bind(dir, `/${name}`, true)),
    bind(dirs.output, paths.output),
    bind(dirs.code, paths.code),
    bind(dirs.home, paths.home),
    bind(dirs.tmp, paths.tmp),
    bind(dirs.run, runPath),
  ];
}
