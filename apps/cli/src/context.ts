import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  AppError,
  type Client,
  createClient,
  type JobRef,
  parseJobRef,
  type User,
  userRoutes,
  version,
} from '@mycloud/shared';
import { z } from 'zod';

const loginSchema = z.object({ url: z.string(), token: z.string() });
export type Login = z.infer<typeof loginSchema>;
const folderSchema = z.object({ project: z.string().regex(/^[^/]+\/[^/]+$/) });

const xdg = (name: string, fallback: string): string =>
  path.join(process.env[name] || path.join(os.homedir(), fallback), 'mycloud');
const loginFile = (): string => path.join(xdg('XDG_CONFIG_HOME', '.config'), 'config.json');
export const cacheFolder = (): string => xdg('XDG_CACHE_HOME', '.cache');
/** Says which project a folder belongs to. */
export const folderFile = '.mycloud.json';

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError('bad_request', `${file} can't be read: ${(error as Error).message}`, {
      hint: 'Mend it or delete it.',
    });
  }
}

export const readSavedLogin = async (): Promise<Login | undefined> =>
  loginSchema.safeParse(await readJson(loginFile())).data;

/** The saved login, which MYCLOUD_URL and MYCLOUD_TOKEN override. */
export async function readLogin(): Promise<Partial<Login>> {
  const saved = await readSavedLogin();
  const { MYCLOUD_URL: url, MYCLOUD_TOKEN: token } = process.env;
  // A saved token belongs to its server and goes to no other.
  const sameServer = !url || url === saved?.url;
  return { url: url ?? saved?.url, token: token ?? (sameServer ? saved?.token : undefined) };
}

export async function saveLogin(login: Login): Promise<void> {
  const file = loginFile();
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, file);
}

export const forgetLogin = (): Promise<void> => rm(loginFile(), { force: true });

export interface Session {
  client: Client;
  login: Login;
  /** Who is logged in; asked once. */
  me(): Promise<User>;
  /** Reads `12`, `name/12`, `owner/projects/name/12`; a bare number is of this folder's project. */
  jobRef(text: string): Promise<JobRef>;
}

/** @throws AppError unauthenticated when nobody is logged in */
export async function openSession(): Promise<Session> {
  const { url, token } = await readLogin();
  if (!url || !token) {
    throw new AppError('unauthenticated', 'you are not logged in', {
      hint: 'Start a server here with `mycloud up`, or log in to one: mycloud login --url http://SERVER:7070',
    });
  }
  const client = createClient({ url, token, agent: `mycloud-cli/${version}` });
  let user: Promise<User> | undefined;
  const me = () => {
    user ??= client.call(userRoutes.me, {});
    return user;
  };
  return {
    client,
    login: { url, token },
    me,
    async jobRef(text) {
      const folder = await readFolder();
      const full = /^[^/]+\/(projects\/)?[^/]+\/\d+$/.test(text);
      const owner = full ? '' : (folder?.owner ?? (await me()).name);
      return parseJobRef(text, { owner, project: folder?.project });
    },
  };
}

/** The project of this folder, as `mycloud init` wrote it. */
export async function readFolder(
  dir = process.cwd(),
): Promise<{ owner: string; project: string } | undefined> {
  const raw = await readJson(path.join(dir, folderFile));
  if (raw === undefined) return undefined;
  const parsed = folderSchema.safeParse(raw);
  if (!parsed.success)
    throw new AppError('bad_request', `${folderFile} names no project`, {
      hint: 'Run `mycloud init NAME` again.',
    });
  const [owner = '', project = ''] = parsed.data.project.split('/');
  return { owner, project };
}

/** @throws AppError when the folder has no project */
export async function requireFolder(): Promise<{ owner: string; project: string }> {
  const folder = await readFolder();
  if (folder) return folder;
  throw new AppError('bad_request', 'this folder belongs to no project', {
    hint: 'Run `mycloud init NAME` first.',
  });
}
