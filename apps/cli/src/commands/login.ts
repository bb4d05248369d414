import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AppError, invitationRoutes, userRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { ask } from '../ask.js';
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
  /** An invitation: its link, or the secret in it. */
  invite?: string;
  json?: boolean;
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

/** `http://server:7070/invite#SECRET`, or the secret alone. */
function readInvitation(text: string): { url?: string; secret: string } {
  const [, url, secret] = /^(https?:\/\/[^#]+)\/invite#(.+)$/.exec(text) ?? [];
  return secret ? { url, secret } : { secret: text };
}

/** Makes the user that an invitation is for. */
async function accept(url: string, secret: string, options: Options): Promise<Login> {
  const client = createNodeClient({ url });
  const offer = await client.call(invitationRoutes.look, { body: { secret } });
  const team = offer.team === null ? '' : `, into the team ${offer.team}`;
  hint(`${offer.invitedBy} invites you to ${url}${team}.`);
  const name = options.username ?? os.userInfo().username;
  const password = options.password ?? (await ask(`A password for ${name} (another name by --username)`));
  await client.call(invitationRoutes.accept, { body: { secret, name, password } });
  return { url, token: (await client.call(userRoutes.login, { body: { name, password } })).token };
}

async function chosenLogin(options: Options): Promise<Login> {
  if (options.home) return loginOfHome(options.home);
  const invited = options.invite === undefined ? undefined : readInvitation(options.invite);
  const url = (options.url ?? invited?.url ?? (await readLogin()).url ?? 'http://127.0.0.1:7070').replace(
    /\/+$/,
    '',
  );
  if (invited) return accept(url, invited.secret, options);
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
