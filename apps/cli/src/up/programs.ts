import { fileURLToPath } from 'node:url';
import { refusedExitCode } from '@mycloud/shared';
import type { Secrets } from './secrets.js';
import type { Program } from './supervise.js';

type Env = Record<string, string | undefined>;

export interface ServerFacts {
  home: string;
  host: string;
  port: number;
  url: string;
  runner: string;
  /** Listens where the old floyd-local looks for a server, too. */
  floydLocal: boolean;
  databaseUrl: string;
  /** Absent: the worker asks the api instead of the queue. */
  queueUrl: string | undefined;
  embeddedDatabase: boolean;
  workerHome: string;
  workerName: string;
  secrets: Secrets;
}

/** What the worker, and the jobs below it, have no business to know. */
const serverOnly =
  /^(DATABASE_.*|REDIS_.*|S3_.*|SMTP_.*|MYCLOUD_(TOKEN|BOOTSTRAP_.*|QUEUE_ROLE_PASSWORD.*))$/;

export function apiProgram(env: Env, facts: ServerFacts): Program {
  const { secrets } = facts;
  return nodeProgram('api', '@mycloud/api', {
    ...env,
    MYCLOUD_HOST: facts.host,
    MYCLOUD_PORT: String(facts.port),
    MYCLOUD_HOME: facts.home,
    DATABASE_URL: facts.databaseUrl,
    MYCLOUD_EMBEDDED: '1',
    ...(facts.floydLocal && { MYCLOUD_FLOYD_LOCAL: '1' }),
    MYCLOUD_BOOTSTRAP_USER: secrets.user,
    MYCLOUD_BOOTSTRAP_TOKEN: secrets.token,
    MYCLOUD_BOOTSTRAP_WORKER_TOKEN: secrets.workerToken,
    // A role is made in the database that is ours alone.
    MYCLOUD_QUEUE_ROLE_PASSWORD: facts.embeddedDatabase ? secrets.queuePassword : undefined,
  });
}

/** @param machines what it offers, unless MYCLOUD_WORKER_MACHINES says otherwise */
export function workerProgram(env: Env, facts: ServerFacts, machines: string[]): Program {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !serverOnly.test(name)));
  return nodeProgram('worker', '@mycloud/worker', {
    MYCLOUD_WORKER_MACHINES: machines.join(','),
    ...own,
    MYCLOUD_URL: facts.url,
    MYCLOUD_WORKER_TOKEN: facts.secrets.workerToken,
    MYCLOUD_HOME: facts.home,
    MYCLOUD_WORKER_HOME: facts.workerHome,
    MYCLOUD_WORKER_NAME: facts.workerName,
    MYCLOUD_QUEUE_URL: facts.queueUrl,
    MYCLOUD_RUNNER: facts.runner,
  });
}

/** A worker of its own, for a server elsewhere: its queue is the api, unless MYCLOUD_QUEUE_URL names one. */
export function joiningWorker(
  env: Env,
  facts: { url: string; token: string; home: string; name: string; runner?: string; machines?: string },
): Program {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !serverOnly.test(name)));
  const worker = nodeProgram('worker', '@mycloud/worker', {
    ...own,
    ...(facts.machines && { MYCLOUD_WORKER_MACHINES: facts.machines }),
    MYCLOUD_URL: facts.url,
    MYCLOUD_WORKER_TOKEN: facts.token,
    MYCLOUD_WORKER_TOKEN_FILE: undefined,
    MYCLOUD_WORKER_HOME: facts.home,
    MYCLOUD_WORKER_NAME: facts.name,
    ...(facts.runner && { MYCLOUD_RUNNER: facts.runner }),
  });
  return { ...worker, finalCode: refusedExitCode };
}
/** Tests read the sources; programs always run what the build made of them. */
export const builtFile = (entry: string): string =>
  fileURLToPath(import.meta.resolve(entry)).replace(
    /([\\/])src([\\/].*)?([\\/])main\.ts$/,
    '$1dist$2$3main.js',
  );

function nodeProgram(name: string, entry: string, env: Env): Program {
  return {
    name,
    command: process.execPath,
    args: [builtFile(entry)],
    env,
    ready(line) {
      const said = parse(line);
      return said?.msg === 'ready' ? said : undefined;
    },
    trouble(line) {
      // Nearly all lines, told by pino's first field, without reading them.
      if (Number(/^\{"level":(\d+),/.exec(line)?.[1]) < errorLevel) return undefined;
      const said = parse(line);
      // What isn't JSON went past the log: a last word on stderr.
      if (!said) return line.trim() || undefined;
      if (Number(said.level) < errorLevel) return undefined;
      const { message } = (said.err ?? {}) as { message?: unknown };
      return message === undefined ? String(said.msg) : `${String(said.msg)}: ${String(message)}`;
    },
    signal: 'SIGTERM',
    graceSeconds: 15,
  };
}

/** Of pino. */
const errorLevel = 50;

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // A line cut off by a kill is no JSON.
    return undefined;
  }
}
