import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cliProgram } from './server.js';

export interface Block {
  /** Of the file, where its first command stands. */
  line: number;
  text: string;
  /** Why it isn't run, as the document itself says above it: `<!-- not run: REASON -->`. */
  notRun: string | undefined;
}

/** The shell's blocks of a Markdown file. */
export function shellBlocks(file: string): Block[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:<!-- not run: (.+?) -->\n)?```sh\n([\s\S]*?)```/g)].map((found) => ({
    line: text.slice(0, found.index).split('\n').length + (found[1] ? 2 : 1),
    notRun: found[1],
    text: found[2] ?? '',
  }));
}

/** A folder with the program `mycloud` of this checkout, for a PATH. */
export function mycloudFolder(folder: string): string {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, 'mycloud'), `#!/bin/sh\nexec '${process.execPath}' '${cliProgram}' "$@"\n`);
  chmodSync(path.join(bin, 'mycloud'), 0o755);
  return bin;
}

/** A shell in which one block after the other is typed, as a person would. */
export class Typist {
  #shell;
  #said = '';
  #count = 0;

  constructor(cwd: string, env: Record<string, string>) {
    this.#shell = spawn('bash', ['--norc'], { cwd, env, stdio: 'pipe' });
    for (const stream of [this.#shell.stdout, this.#shell.stderr])
      stream.on('data', (bytes: Buffer) => (this.#said += bytes.toString()));
  }

  /** @returns what it said @throws Error at the first command that fails */
  async type(text: string): Promise<string> {
    const mark = `done-${this.#count++}`;
    const from = this.#said.length;
    // `set -e` would end the shell: the block's first failure is told by a trap instead.
    this.#shell.stdin.write(
      `failed=; trap 'failed="\${failed:-$BASH_COMMAND}"' ERR\n${text}\ntrap - ERR\nprintf '\\n%s\\n' "${mark} [$failed]"\n`,
    );
    for (;;) {
      const end = new RegExp(`\\n${mark} \\[([\\s\\S]*?)\\]\\n`).exec(this.#said.slice(from));
      if (!end) {
        if (this.#shell.exitCode !== null) throw new Error(`the shell ended: ${this.#said.slice(from)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      const said = this.#said.slice(from, from + end.index);
      if (end[1]) throw new Error(`failed: ${end[1]}\n${said}`);
      return said;
    }
  }

  async close(): Promise<void> {
    this.#shell.stdin.end();
    if (this.#shell.exitCode === null) await once(this.#shell, 'close');
  }
}

/** The words of each `mycloud` command of a block, as a shell reads them; nothing of it is run. */
export function mycloudCommands(text: string): string[][] {
  execFileSync('bash', ['-n', '-c', text]);
  const commands = text
    .replaceAll(/<<'(\w+)'[\s\S]*?\n\1\n/g, '\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.startsWith('mycloud '));
  return commands.map((line) => {
    const said = execFileSync('bash', ['-c', `mycloud() { printf '%s\\0' "$@"; }\n${line}`], {
      encoding: 'utf8',
    });
    return said.split('\0').slice(0, -1);
  });
}
