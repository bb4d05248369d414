import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  AppError,
  type Client,
  createClient,
  type JobRef,
  type User,
  userRoutes,
  version,
} from '@mycloud/shared';
import { z } from 'zod';
import { folderProject, readJson } from './folder.js';
import { exactJob, namedJob } from './job-names.js';
import { callHeaders } from './tracing.js';

const loginSchema = z.object({ url: z.string(), token: z.string() });
export type Login = z.infer<typeof loginSchema>;

const xdg = (name: string, fallback: string): string =>
  path.join(process.env[name] || path.join(os.homedir(), fallback), 'mycloud');
export const loginFile = (): string => path.join(xdg('XDG_CONFIG_HOME', '.config'), 'config.json');
export const cacheFolder = (): string => xdg('XDG_CACHE_HOME', '.cache');

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
  /** The project of the folder the person is in; one of floyd's is his under the same name. */
  folder(): Promise<{ owner: string; project: string } | undefined>;
  /** Reads `12`, `name/12`, `owner/projects/name/12`; a project's name, or nothing, stands for its newest job. */
  jobRef(text?: string): Promise<JobRef>;
  /** As jobRef, for what can't be undone: the number must be said. */
  exactJobRef(text: string): Promise<JobRef>;
}

/** @throws AppError unauthenticated when nobody is logged in */
export async function openSession(): Promise<Session> {
  const { url, token } = await readLogin();
  if (!url || !token) {
    throw new AppError('unauthenticated', 'you are not logged in', {
      hint: 'Start a server here with `mycloud up`, or log in to one: mycloud login --url http://SERVER:7070',
    });
  }
  const client = createClient({ url, token, agent: `mycloud-cli/${version}`, headers: callHeaders });
  let user: Promise<User> | undefined;
  const me = () => {
    user ??= client.call(userRoutes.me, {});
    return user;
  };
  const folder = async () => {
    const found = await folderProject();
    return found && { owner: found.owner ?? (await me()).name, project: found.name };
  };
  const defaults = { folder, owner: async () => (await me()).name };
  return {
    client,
    login: { url, token },
    me,
    folder,
    jobRef: (text) => namedJob(client, text, defaults),
    exactJobRef: (text) => exactJob(text, defaults),
  };
}
