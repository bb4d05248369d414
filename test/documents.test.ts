import { readFileSync } from 'node:fs';
import path from 'node:path';
import { drawDataset } from '@mycloud/trainer/draw';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram } from '../apps/cli/src/program.js';
import { mycloudCommands, mycloudFolder, shellBlocks, Typist } from './support/document.js';
import { wantProgram } from './support/require.js';
import { startServer, type TestServer } from './support/server.js';

const root = path.resolve(import.meta.dirname, '..');
const document = (name: string) => path.join(root, 'docs', name);
const tools = ['bash', 'curl', 'python3', 'bwrap'].every((program) => wantProgram(program));

/** Parses a command as the command line does, and does nothing. */
async function parse(words: string[]): Promise<void> {
  const program = buildProgram();
  const quiet = (command: typeof program): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    command.action(() => undefined);
    for (const one of command.commands) quiet(one);
  };
  quiet(program);
  await program.parseAsync(words, { from: 'user' });
}

describe.skipIf(!tools).each([
  { name: 'quick-start.md', where: 'user' },
  { name: 'tutorial.md', where: 'user' },
  { name: 'recipes.md', where: 'user' },
  { name: 'api.md', where: 'checkout' },
])('docs/$name', ({ name, where }) => {
  let server: TestServer;
  let typist: Typist;
  beforeAll(async () => {
    server = await startServer();
    const home = path.dirname(server.folder);
    await drawDataset(path.join(home, 'pictures/dogsvscats'), { train: 32, val: 16, seed: 3 });
    typist = new Typist(where === 'user' ? server.folder : root, {
      PATH: `${mycloudFolder(home)}:${path.dirname(process.execPath)}:${process.env.PATH}`,
      HOME: home,
      XDG_CONFIG_HOME: path.join(home, 'config'),
      XDG_CACHE_HOME: path.join(home, 'cache'),
      MYCLOUD_URL: server.url,
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
    });
  });
  afterAll(async () => {
    await typist?.close();
    await server?.remove();
  });

  const blocks = shellBlocks(document(name));

  it('has blocks to run', () => {
    expect(blocks.filter(({ notRun }) => !notRun).length).toBeGreaterThan(1);
  });

  for (const { line, text, notRun } of blocks) {
    if (notRun) {
      it(`line ${line} would be understood (${notRun})`, async () => {
        const commands = mycloudCommands(text);
        expect(commands.length).toBeGreaterThan(0);
        for (const words of commands) await parse(words);
      });
    } else {
      it(`line ${line} can be typed as it stands`, { timeout: 180_000 }, async () => {
        await typist.type(text);
      });
    }
  }
});

describe('the documents', () => {
  it('show the example that they name', () => {
    const shown = /```js\n([\s\S]*?)```/.exec(readFileSync(document('api.md'), 'utf8'))?.[1];
    expect(shown).toBe(readFileSync(document('examples/submit.mjs'), 'utf8'));
  });

  it('are checked by what would find a mistake in them', async () => {
    await expect(parse(['run', '--no-such-flag', 'true'])).rejects.toThrow(/no-such-flag/);
    const shell = new Typist(root, { PATH: process.env.PATH ?? '' });
    await expect(shell.type('true\nfalse\ntrue')).rejects.toThrow(/failed: false/);
    expect(await shell.type('echo goes on')).toBe('goes on\n');
    await shell.close();
  });
});
