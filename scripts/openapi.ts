// Writes docs/openapi.json from the routes' contracts; with --check it only compares, and fails where they differ.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import { buildApi } from '../apps/api/src/app.js';
import type { Deps } from '../apps/api/src/deps.js';

const file = path.join(import.meta.dirname, '../docs/openapi.json');

/** Routes are registered, never called: what would be needed to serve them is not there, but for what they begin with. */
const deps = {
  config: {},
  log: pino({ level: 'silent' }),
  hub: { subscribe: () => () => undefined, onGap: () => () => undefined },
} as unknown as Deps;

/** As the file holds it; undefined before the first time. */
function stored(): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const app = await buildApi(deps);
const text = `${JSON.stringify(app.swagger(), null, 2)}\n`;
await app.close();
if (!process.argv.includes('--check')) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
} else if (stored() !== text) {
  process.stderr.write('docs/openapi.json does not say what the routes do: run `npm run openapi`.\n');
  process.exitCode = 1;
}
