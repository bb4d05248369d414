import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { readLogin } from '../context.js';
import { print, printJson } from '../output.js';

/** Where this program lies in a checkout. */
const checkout = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

const commandsHere = (): string[] =>
  existsSync(path.join(checkout, 'scripts/pack.mjs'))
    ? [`cd ${checkout}`, 'git pull', 'npm ci']
    : ['npm install -g ./mycloud-VERSION.tgz'];

/** Compares the version of this program with that of the server, and says how to change it. */
export async function upgrade(version: string, { json }: { json?: boolean }): Promise<void> {
  const { url } = await readLogin();
  const server = url ? (await createNodeClient({ url }).call(machineRoutes.health, {})).version : null;
  const commands = commandsHere();
  if (json) return printJson({ version, server, commands });
  print(
    `mycloud here is ${version}; ${server === null ? 'you are logged in to no server' : `the server is ${server}`}.`,
  );
  if (server === version) print('Both are the same.');
  print(`To bring this one up to date:\n  ${commands.join('\n  ')}`);
}
