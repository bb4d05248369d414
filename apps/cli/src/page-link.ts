import { spawn } from 'node:child_process';
import { type Client, sessionRoutes } from '@mycloud/shared';
import { hint, print } from './output.js';

/** An address that opens the page logged in as the client's user: good once, for a few minutes. */
export async function pageLink(client: Client, to?: string): Promise<{ url: string; expiresAt: string }> {
  const { path, expiresAt } = await client.call(sessionRoutes.createLink, {});
  return { url: `${client.url}${path}${to ? `?to=${encodeURIComponent(to)}` : ''}`, expiresAt };
}

/** Prints such an address, and opens it where there is a screen and `browser` lets it. */
export function showLink(url: string, browser: boolean, say = print): void {
  say(url);
  hint('It opens the page once, in the next minutes.');
  const opener = browser && process.stdout.isTTY ? browserCommand() : undefined;
  if (!opener) return;
  const child = spawn(opener[0], [...opener.slice(1), url], { stdio: 'ignore', detached: true });
  child.once('error', () => hint(`${opener[0]} is not here; open the link yourself.`));
  child.unref();
}

/** What opens an address here; undefined over SSH and where there is no screen. */
function browserCommand(): [string, ...string[]] | undefined {
  if (process.env.SSH_CONNECTION) return undefined;
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? ['xdg-open'] : undefined;
}
