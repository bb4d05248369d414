import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../apps/cli/src/program.js';

type Command = ReturnType<typeof buildProgram>;

const root = path.resolve(import.meta.dirname, '..');

/** Every command of floyd 0.11.17 with every flag it had, from its own sources. */
const floyds: Record<string, string[]> = {
  login: ['--token', '-k', '--apikey', '-u', '--username', '-p', '--password'],
  logout: [],
  init: [],
  run: [
    ...['--env', '--gpu', '--cpu', '--gpu2', '--cpu2', '--data', '-m', '--message', '-f', '--follow'],
    ...['--tensorboard', '--no-tensorboard', '-r', '--max-runtime', '--task', '--open', '--no-open'],
  ],
  restart: [
    ...['--data', '--open', '--no-open', '--env', '-m', '--message'],
    ...['--gpu', '--cpu', '--gpu+', '--cpu+'],
  ],
  status: [],
  info: [],
  logs: ['-u', '--url', '-f', '--follow'],
  output: ['-u', '--url'],
  stop: [],
  delete: ['-y', '--yes'],
  clone: ['-p', '--path'],
  'data init': [],
  'data upload': ['-r', '--resume', '-m', '--message'],
  'data status': [],
  'data clone': ['-p', '--path'],
  'data listfiles': [],
  'data getfile': [],
  'data output': ['-u', '--url'],
  'data delete': ['-y', '--yes'],
  'data add': [],
  version: [],
  upgrade: [],
};

interface Row {
  floyd: string;
  /** Commands of ours, as words. */
  ours: string[][];
  test: string;
}

const rows: Row[] = readFileSync(path.join(root, 'docs/commands.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (floyd +\||-)/.test(line))
  .map((line) => {
    const [floyd = '', mycloud = '', test = ''] = cells(line);
    const ours = Array.from(mycloud.matchAll(/`(?:\w+=\S+ )*mycloud ([^`]+)`/g), ([, words]) =>
      words!.split(' '),
    );
    return { floyd, ours, test };
  });

function cells(line: string): string[] {
  return line
    .replace(/^\| | \|$/g, '')
    .split(' | ')
    .map((cell) => cell.trim());
}

/** The program as it is, but for what its commands do. */
function silent(): Command {
  const program = buildProgram();
  for (const command of leaves(program)) command.action(() => undefined);
  return program;
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

/** `data getfile`, without the program's own name. */
const nameOf = (command: Command): string =>
  command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();

describe('the table of floyd’s commands', () => {
  it('has them all, with every flag', () => {
    const told = rows.map((row) => row.floyd).join(', ');
    expect(rows.length).toBeGreaterThan(40);
    for (const [command, flags] of Object.entries(floyds)) {
      const spans = Array.from(told.matchAll(/`floyd ([^`]+)`/g), ([, span]) => ` ${span} `);
      const its = spans.filter((span) => span.startsWith(` ${command} `));
      expect(its, command).not.toEqual([]);
      for (const flag of flags)
        expect(
          its.some((span) => span.includes(` ${flag} `)),
          `${command} ${flag}`,
        ).toBe(true);
    }
  });

  it.each(rows)('$floyd', async ({ ours, test }) => {
    expect(test).toMatch(/^test\/[\w-]+\.test\.ts$/);
    expect(existsSync(path.join(root, test))).toBe(true);
    const proof = readFileSync(path.join(root, test), 'utf8');
    for (const words of ours) {
      await silent().parseAsync(words, { from: 'user' });
      const path = leaves(silent())
        .map(nameOf)
        .find((name) => `${words.join(' ')} `.startsWith(`${name} `));
      expect(path, words.join(' ')).toBeDefined();
      const mentioned = path!
        .split(' ')
        .map((word) => `'${word}'`)
        .join(', ');
      expect(proof, `${test} mentions ${path}`).toContain(mentioned);
      for (const flag of words.filter((word) => word.startsWith('-')))
        expect(proof, `${test} mentions ${flag} of ${path}`).toContain(`'${flag}'`);
    }
  });
});

describe('every command', () => {
  const all = leaves(buildProgram());
  it.each(all.map((command) => [nameOf(command), command] as const))('%s takes --json', (_, command) => {
    expect(command.options.map((option) => option.long)).toContain('--json');
  });

  it('is described, and so is each of its flags', () => {
    for (const command of all) {
      const help = command.createHelp();
      for (const option of help.visibleOptions(command))
        expect(option.description, `${nameOf(command)} ${option.flags}`).not.toBe('');
    }
  });
});
