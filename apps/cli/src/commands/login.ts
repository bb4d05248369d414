import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AppError, userRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { CommanderError } from 'commander';
import { forgetLogin, type Login, readLogin, saveLogin } from '../context.js';
import { hint, printJson } from '../output.js';

interface Options {
  url?: string;
  /** true: to be asked for */
  token?: string | true;
  /** As floyd called a token. */
  apikey?: string;
  username?: string;
  password?: string;
  home?: string;
  json?: boolean;
}

async function readStdin(): Promise<string> {
  let text = '';
  for await (const part of process.stdin) text += part;
  return text.trim();
}

async function ask(what: string): Promise<string> {
  if (!process.stdin.isTTY) return readStdin();
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: what });
  if (isCancel(answer)) throw new CommanderError(1, 'cancelled', 'cancelled');
  return answer;
}

/** Address and first token of the server that `up` runs on a folder of this machine. */
async function loginOfHome(home: string): Promise<Login> {
  try {
    const read = async (name: string) => JSON.parse(await readFile(path.join(home, name), 'utf8'));
    return { url: (await read('up.json')).url, token: (await read('secrets.json')).token };
  } catch (cause) {
    throw new AppError('not_found', `no server runs on ${path.resolve(home)}`, {
      cause,
      hint: `Start it: mycloud up --home ${home}`,
    });
  }
}

async function chosenLogin(options: Options): Promise<Login> {
  if (options.home) return loginOfHome(options.home);
  const url = (options.url ?? (await readLogin()).url ?? 'http://127.0.0.1:7070').replace(/\/+$/, '');
  if (options.username || options.password) {
    const name = options.username ?? os.userInfo().username;
    const body = { name, password: options.password ?? (await ask(`Password of ${name}`)) };
    return { url, token: (await createNodeClient({ url }).call(userRoutes.login, { body })).token };
  }
  const given = options.apikey ?? options.token;
  return { url, token: typeof given === 'string' && given !== '-' ? given : await ask('Token') };
}

export async function login(options: Options): Promise<void> {
  const { url, token } = await chosenLogin(options);
  const user = await createNodeClient({ url, token }).call(userRoutes.me, {});
  await saveLogin({ url, token });
  if (options.json) printJson({ url, user });
  else hint(`Logged in to ${url} as ${user.name}.`);
}

export async function logout({ json }: { json?: boolean }): Promise<void> {
  await forgetLogin();
  if (json) printJson({ loggedOut: true });
  else hint('Logged out.');
}
