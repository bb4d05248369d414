import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AppError,
  builtInEnvironments,
  type FoundEnvironment,
  findEnvironment,
  type LocalJob,
  machineRoutes,
  mountNameSchema,
  type RestartJob,
} from '@mycloud/shared';
import { cacheFolder, openSession, readLogin, type Session } from './context.js';
import { ExitCode } from './exit.js';
import { folderProject } from './folder.js';
import { hint } from './output.js';
import { findSource } from './sources.js';
import { durationText } from './text.js';
import { downloadPart } from './transfer.js';

/** What `run --local` is asked for. */
export interface LocalOptions {
  command: string;
  settings: Omit<RestartJob, 'env' | 'command'>;
  variables: Record<string, string>;
  /** Where /output is; by default `output` here, or the first free of output-2, output-3, … */
  out?: string;
  runner?: string;
}

/**
 * Runs the command in this folder, on this computer and without a server, as a worker would: same environment, mounts and
 * variables. Folders are mounted as they are; datasets and outputs of the server that one is logged in to are downloaded once.
 * Ends as the job does.
 */
export async function runLocal({ command, settings, variables, out, runner }: LocalOptions): Promise<void> {
  const session = await sessionIfAny();
  const environment = await findHere(session, settings.environment ?? 'default');
  if (environment.note) hint(environment.note);
  const mounts: LocalJob['mounts'] = [];
  for (const { source, name } of settings.mounts ?? []) {
    const parsed = mountNameSchema.safeParse(name);
    if (!parsed.success) throw new AppError('bad_request', `/${name}: ${parsed.error.issues[0]?.message}`);
    if (mounts.some((one) => one.name === name))
      throw new AppError('bad_request', `/${name} is mounted twice; give each mount its own name`);
    mounts.push({ name, dir: await folderOf(session, source) });
  }
  const output = await outputFolder(out);
  const folder = await folderProject();
  const { note: _, ...bare } = environment;
  const job: LocalJob = {
    name: `local/${folder?.name ?? path.basename(process.cwd())}`,
    command,
    env: variables,
    environment: bare,
    gpus: { gpu: 1, gpu2: 2 }[settings.machine ?? ''] ?? 0,
    maxRuntimeSeconds: settings.maxRuntimeSeconds ?? null,
    runner: (runner ?? 'auto') as LocalJob['runner'],
    code: process.cwd(),
    output,
    mounts,
    home: path.join(cacheFolder(), 'local'),
  };
  const began = Date.now();
  const code = await runWorkersProgram(job);
  const files = (await readdir(output)).length;
  const kept = files > 0 ? `; its output is in ${path.relative('.', output) || output}` : '';
  hint(`${code === 0 ? 'succeeded' : `ended with ${code}`} after ${durationText(Date.now() - began)}${kept}`);
  if (code !== 0) throw new ExitCode(code);
}

const sessionIfAny = async (): Promise<Session | undefined> => {
  const { url, token } = await readLogin();
  return url && token ? openSession() : undefined;
};

/** Of the server one is logged in to, which may have its own; of the built-in ones where none answers. */
async function findHere(session: Session | undefined, name: string): Promise<FoundEnvironment> {
  try {
    const answer = await session?.client.call(machineRoutes.environments, {});
    return findEnvironment(name, answer?.items.map(({ built: _, ...one }) => one) ?? builtInEnvironments);
  } catch (error) {
    if (!(error instanceof AppError && (error.code === 'unavailable' || error.code === 'unauthenticated')))
      throw error;
    return findEnvironment(name, builtInEnvironments);
  }
}

/** A folder of this computer, or what is downloaded of a dataset or an output. */
async function folderOf(session: Session | undefined, source: string): Promise<string> {
  const isPath = /^(\.{1,2}(\/|$)|\/|~\/)/.test(source);
  const local = path.resolve(source.replace(/^~(?=\/)/, os.homedir()));
  if (isPath || existsSync(local)) {
    const isFolder = await stat(local).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) return local;
    throw new AppError('bad_request', `--data ${source}: there is no folder ${local}`);
  }
  if (!session) {
    throw new AppError(
      'unauthenticated',
      `--data ${source}: there is no folder of that name here, and you are not logged in to a server that could have it`,
      {
        hint: 'Name a folder, such as --data ./photos:input, or log in: mycloud login --url http://SERVER:7070',
      },
    );
  }
  const found = await findSource(session, source);
  const dir = path.join(cacheFolder(), 'local', 'data', found.snapshotId);
  const whole = `${dir}.whole`;
  if (!existsSync(whole)) {
    hint(`Downloading ${found.name}…`);
    await downloadPart(session, found, dir, undefined);
    await writeFile(whole, '');
  }
  return dir;
}

/** A job begins with an empty /output. */
async function outputFolder(out: string | undefined): Promise<string> {
  const isFree = async (dir: string) => !existsSync(dir) || (await readdir(dir)).length === 0;
  if (out !== undefined) {
    const dir = path.resolve(out);
    if (await isFree(dir)) return dir;
    throw new AppError('bad_request', `${dir} is not empty, and a job begins with an empty /output`, {
      hint: 'Empty it, or name another folder by --out.',
    });
  }
  for (let n = 1; ; n++) {
    const dir = path.resolve(n === 1 ? 'output' : `output-${n}`);
    if (await isFree(dir)) return dir;
  }
}

/** The worker's program for one job; Ctrl-C reaches it too, and it stops the job. */
async function runWorkersProgram(job: LocalJob): Promise<number> {
  const entry = fileURLToPath(import.meta.resolve('@mycloud/worker/local'));
  // Tests read the sources; programs always run what the build made of them.
  const program = entry.replace(/([\\/])src([\\/])local\.ts$/, '$1dist$2local.js');
  const child = spawn(process.execPath, [program, JSON.stringify(job)], { stdio: 'inherit' });
  const wait = (): void => undefined;
  const pass = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', wait);
  process.on('SIGTERM', pass);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  process.removeListener('SIGINT', wait);
  process.removeListener('SIGTERM', pass);
  return code ?? (signal ? 128 + 15 : 1);
}
