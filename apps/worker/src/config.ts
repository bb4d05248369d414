import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import { AppError, readSettings, withPassword } from '@mycloud/shared';
import { asksForTraces } from '@mycloud/telemetry';
import { z } from 'zod';
import { jobsNetwork } from './runners/docker-network.js';
import { type RunnerName, runnerNames } from './runners/runner.js';
import type { SlurmOptions } from './runners/slurm.js';

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

/** How many jobs wait and run in Slurm, where it isn't said: its own limits and priorities decide among them. */
const slurmSlots = 100;

/** `gpu=a100+v100,cpu=batch`: machine → partitions as sbatch takes them. */
const partitionList = list.transform((pairs, context) => {
  const found = new Map<string, string>();
  for (const pair of pairs) {
    const [machine, partitions, more] = pair.split('=').map((part) => part.trim());
    if (machine && partitions && more === undefined) found.set(machine, partitions.replaceAll('+', ','));
    else context.addIssue(`${pair}: write machine=partition, such as gpu=a100, or gpu=a100+v100 for several`);
  }
  return found;
});

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);
/** What a job asks for is its machine's, where its files go is ours. */
const ours =
  /^--(job-name|comment|partition|nodes|ntasks|cpus-per-task|mem\b|gres|gpus|time|output|error|input|chdir|parsable|requeue|no-requeue|export|signal|array|wait|wrap|test-only|open-mode)/;
const sbatchOption = z
  .string()
  .regex(/^--[a-z][a-z-]*(=.*)?$/, 'options of sbatch in their long form, such as --account=lab --qos=normal')
  .refine((option) => !ours.test(option), 'one of these options is set by mycloud itself for each job');

/** Every variable the worker reads, beside those it hands on to builds (buildVariablesOf). */
export const settings = z.object({
  MYCLOUD_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:7070'),
  MYCLOUD_WORKER_TOKEN: z.string().min(1),
  MYCLOUD_WORKER_HOME: z
    .string()
    .min(1)
    .default(path.join(homedir(), '.mycloud', 'worker')),
  /** Of the server on this machine, where there is one: no job may see it. */
  MYCLOUD_HOME: z.string().min(1).optional(),
  MYCLOUD_WORKER_NAME: z.string().min(1).max(100).default(hostname()),
  MYCLOUD_WORKER_MACHINES: list.optional(),
  MYCLOUD_RUNNER: z.enum(['auto', ...runnerNames]).default('auto'),
  MYCLOUD_SLURM_PARTITIONS: partitionList.default(new Map()),
  MYCLOUD_SLURM_ARGS: z.string().default('').transform(words).pipe(z.array(sbatchOption)),
  MYCLOUD_SLURM_ISOLATION: z.enum(['auto', 'bubblewrap', 'process']).default('auto'),
  MYCLOUD_SLURM_POLL_SECONDS: z.coerce.number().min(0.2).default(5),
  MYCLOUD_SLURM_FILE_SECONDS: z.coerce.number().min(0).default(60),
  SLURM_CONF: z.string().optional(),
  MYCLOUD_DOCKER: z
    .string()
    .regex(/^(off$|unix:\/\/\/)/, 'unix:///path of the socket, on this machine, or off')
    .optional(),
  MYCLOUD_DOCKER_NETWORK: z.string().min(1).default(jobsNetwork),
  MYCLOUD_BUBBLEWRAP_NETWORK: z.enum(['host', 'none']).default('host'),
  DOCKER_HOST: z.string().optional(),
  MYCLOUD_JOBS_METADATA: z.enum(['closed', 'open']).default('closed'),
  MYCLOUD_LIMITS: z.enum(['auto', 'prlimit', 'none']).default('auto'),
  MYCLOUD_JOB_PROCESSES: z.coerce.number().int().min(16).default(4096),
  MYCLOUD_JOB_DISK_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(100 * 2 ** 30),
  MYCLOUD_DISK_RESERVE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(2 ** 30),
  MYCLOUD_GPU_SECONDS: z.coerce.number().min(0.1).default(5),
  MYCLOUD_GPU_IDLE_PERCENT: z.coerce.number().min(0).max(100).default(5),
  MYCLOUD_GPU_IDLE_SECONDS: z.coerce.number().positive().default(300),
  MYCLOUD_GPU_IDLE_STOP: z.stringbool().default(false),
  MYCLOUD_QUEUE_URL: z
    .string()
    .regex(/^(rediss?|postgres(ql)?):\/\//, 'a redis:// or postgres:// address')
    .optional(),
  /** Where it doesn't stand in MYCLOUD_QUEUE_URL. */
  MYCLOUD_QUEUE_PASSWORD: z.string().optional(),
  MYCLOUD_CACHE_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(50 * 2 ** 30),
  MYCLOUD_ENVIRONMENT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(50 * 2 ** 30),
  MYCLOUD_GRACE_SECONDS: z.coerce.number().min(0).max(600).default(10),
  MYCLOUD_SLOTS: z.coerce.number().int().positive().optional(),
  MYCLOUD_TRAINER_BIN: z.string().min(1).optional(),
  MYCLOUD_OUTPUT_SYNC_SECONDS: z.coerce.number().positive().default(30),
  MYCLOUD_METRICS_PORT: z.coerce.number().int().min(0).max(65535).optional(),
  MYCLOUD_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  MYCLOUD_METRICS_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  MYCLOUD_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
});

/** Those that are nobody's business; each may stand in a file that NAME_FILE names. */
export const secretSettings = [
  'MYCLOUD_WORKER_TOKEN',
  'MYCLOUD_QUEUE_URL',
  'MYCLOUD_QUEUE_PASSWORD',
  'MYCLOUD_METRICS_TOKEN',
] as const satisfies readonly (keyof typeof settings.shape)[];

export interface Config {
  url: string;
  token: string;
  /** Absolute: attempts, cache, environments and the job's helpers live below it. */
  home: string;
  /** The server's folder, where it is on this machine. */
  serverHome: string | undefined;
  name: string;
  /** Machine types it offers; undefined: those its resources fit. */
  machines: string[] | undefined;
  runner: 'auto' | RunnerName;
  slurm: Omit<SlurmOptions, 'home' | 'walls' | 'log'>;
  /** unix:// address of an engine that speaks Docker's API and sees this machine's files, or off. */
  docker: string;
  /** Of containers: an engine's word. */
  dockerNetwork: string;
  /** Of jobs in bubblewrap: the machine's, or none but their own loopback. */
  bubblewrapNetwork: 'host' | 'none';
  /** Of a cloud, from jobs. */
  jobsMetadata: 'closed' | 'open';
  /** How jobs are held to memory, CPU and processes; auto: the best that works. */
  limits: 'auto' | 'prlimit' | 'none';
  /** Processes and threads a job may have. */
  jobProcesses: number;
  /** A job may have so many bytes in /output, /tmp, /code and its home. */
  jobDiskBytes: number;
  /** Bytes of the disk that jobs are to leave free. */
  diskReserveBytes: number;
  /** How often GPUs are looked at. */
  gpuSeconds: number;
  /** A job that uses its GPUs less than `percent` for so long is warned, or stopped. */
  gpuIdle: { percent: number; seconds: number; stop: boolean };
  /** Absent: it long-polls the api. */
  queueUrl: string | undefined;
  cacheBytes: number;
  /** All environments that are built here may take so much; those used longest ago go first. */
  environmentBytes: number;
  /** What builds of environments get of this environment: settings of pip, uv and npm, proxies, certificates. */
  buildVariables: Record<string, string>;
  /** Between SIGTERM and SIGKILL. */
  graceSeconds: number;
  /** Jobs at once, with Slurm those that wait there too; undefined: as many as cores and memory allow. */
  slots: number | undefined;
  trainerBin: string | undefined;
  outputSyncSeconds: number;
  /** Where /metrics is served; undefined: nowhere. */
  metrics: { host: string; port: number; token: string | undefined } | undefined;
  /** Traces are asked for by OpenTelemetry's own variables, which its libraries read. */
  traces: boolean;
  logLevel: string;
  /** The search path jobs start from. */
  path: string;
}

/** Reads the worker's settings. @throws AppError bad_request naming every wrong variable. */
export function readConfig(given: Record<string, string | undefined>): Config {
  const {
    env,
    data: read,
    wrong,
  } = readSettings(settings, given, secretSettings, (file) => readFileSync(file, 'utf8'));
  if (!read || wrong.length > 0) {
    const all = wrong.map((error) => `  ${error.path}: ${error.message}`).join('\n');
    throw new AppError('bad_request', `the worker's settings are wrong:\n${all}`, { errors: wrong });
  }
  const metrics = metricsOf(read);
  return {
    url: read.MYCLOUD_URL,
    token: read.MYCLOUD_WORKER_TOKEN,
    home: path.resolve(read.MYCLOUD_WORKER_HOME),
    serverHome: read.MYCLOUD_HOME && path.resolve(read.MYCLOUD_HOME),
    name: read.MYCLOUD_WORKER_NAME,
    machines: read.MYCLOUD_WORKER_MACHINES,
    runner: read.MYCLOUD_RUNNER,
    slurm: {
      partitions: read.MYCLOUD_SLURM_PARTITIONS,
      args: read.MYCLOUD_SLURM_ARGS,
      isolation: read.MYCLOUD_SLURM_ISOLATION,
      pollSeconds: read.MYCLOUD_SLURM_POLL_SECONDS,
      fileSeconds: read.MYCLOUD_SLURM_FILE_SECONDS,
      env: { PATH: read.PATH, ...(read.SLURM_CONF ? { SLURM_CONF: read.SLURM_CONF } : {}) },
    },
    docker: read.MYCLOUD_DOCKER ?? dockerOf(read.DOCKER_HOST),
    dockerNetwork: read.MYCLOUD_DOCKER_NETWORK,
    bubblewrapNetwork: read.MYCLOUD_BUBBLEWRAP_NETWORK,
    jobsMetadata: read.MYCLOUD_JOBS_METADATA,
    limits: read.MYCLOUD_LIMITS,
    jobProcesses: read.MYCLOUD_JOB_PROCESSES,
    jobDiskBytes: read.MYCLOUD_JOB_DISK_BYTES,
    diskReserveBytes: read.MYCLOUD_DISK_RESERVE_BYTES,
    gpuSeconds: read.MYCLOUD_GPU_SECONDS,
    gpuIdle: {
      percent: read.MYCLOUD_GPU_IDLE_PERCENT,
      seconds: read.MYCLOUD_GPU_IDLE_SECONDS,
      stop: read.MYCLOUD_GPU_IDLE_STOP,
    },
    queueUrl: read.MYCLOUD_QUEUE_URL && withPassword(read.MYCLOUD_QUEUE_URL, read.MYCLOUD_QUEUE_PASSWORD),
    cacheBytes: read.MYCLOUD_CACHE_BYTES,
    environmentBytes: read.MYCLOUD_ENVIRONMENT_BYTES,
    buildVariables: buildVariablesOf(env),
    graceSeconds: read.MYCLOUD_GRACE_SECONDS,
    slots: read.MYCLOUD_SLOTS ?? (read.MYCLOUD_RUNNER === 'slurm' ? slurmSlots : undefined),
    trainerBin: read.MYCLOUD_TRAINER_BIN,
    outputSyncSeconds: read.MYCLOUD_OUTPUT_SYNC_SECONDS,
    metrics,
    traces: asksForTraces(env),
    logLevel: read.MYCLOUD_LOG_LEVEL,
    path: read.PATH,
  };
}

/** @throws AppError for metrics that anybody on the network could read */
function metricsOf(read: z.output<typeof settings>): Config['metrics'] {
  const { MYCLOUD_METRICS_PORT: port, MYCLOUD_METRICS_HOST: host, MYCLOUD_METRICS_TOKEN: token } = read;
  if (port === undefined) return undefined;
  if (!token && !/^(127\.|::1$|localhost$)/.test(host)) {
    throw new AppError(
      'bad_request',
      `metrics at ${host} would be read by whoever reaches its port ${port}`,
      {
        hint: 'Set MYCLOUD_METRICS_TOKEN, which Prometheus sends as its bearer token, or leave MYCLOUD_METRICS_HOST at 127.0.0.1.',
      },
    );
  }
  return { host, port, token };
}

/** Settings of pip, uv and npm, proxies and certificates. */
export const buildVariablesOf = (env: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (one): one is [string, string] => Boolean(one[1]) && buildVariable.test(one[0]),
    ),
  );

const buildVariable =
  /^(PIP_\w+|UV_\w+|npm_config_\w+|(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS)$/i;

/** DOCKER_HOST means it for other programs: an engine elsewhere doesn't see the folders of jobs here. */
const dockerOf = (host: string | undefined): string =>
  host === undefined ? 'unix:///var/run/docker.sock' : host.startsWith('unix:///') ? host : 'off';
