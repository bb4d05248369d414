import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CliResult, TestServer } from './server.js';

const python = process.env.MYCLOUD_TEST_FLOYD_PYTHON;
if (!python && process.env.MYCLOUD_TEST_STRICT === '1')
  throw new Error('MYCLOUD_TEST_FLOYD_PYTHON must name a Python with floyd-cli 0.11.17');

const beside = (program: string): string | undefined => {
  const file = python && path.join(path.dirname(python), program);
  return file && existsSync(file) ? file : undefined;
};

/** The unmodified client beside MYCLOUD_TEST_FLOYD_PYTHON, or undefined: `describe.skipIf(!floydProgram)`. */
export const floydProgram = beside('floyd');

/** As docs/floyd-cli.md gives it: what tells the client where all of the server is, uploads and links too. */
export const floydHere = `import sys
import floyd
from floyd.main import cli

server = sys.argv[1]
floyd.floyd_web_host = server
floyd.tus_server_endpoint = server + '/api/v1/upload/'
cli(['--host', server] + sys.argv[2:], prog_name='floyd')
`;

export interface FloydUser {
  /** Empty but for what `floyd login` writes. */
  home: string;
  /** `floyd --host SERVER ARGS` in a folder. */
  floyd(args: string[], cwd?: string): Promise<CliResult>;
  /** The same by the program of the documentation, which can upload data too. */
  here(args: string[], cwd?: string): Promise<CliResult>;
  /** Starts what `here` runs, and leaves it running. */
  start(args: string[], cwd?: string): ChildProcess;
  /** `floyd-local ARGS`, for a server started with --floyd-local. */
  local(args: string[], cwd?: string): Promise<CliResult>;
  /** Makes a folder with these files. */
  folder(name: string, files?: Record<string, string>): Promise<string>;
}

/** Somebody with the old client and a home of his own, not logged in. */
export async function floydUser(server: TestServer): Promise<FloydUser> {
  const home = await mkdtemp(path.join(server.folder, 'floyd-'));
  const script = path.join(home, 'floyd-here.py');
  await writeFile(script, floydHere);
  const env = {
    HOME: home,
    PATH: process.env.PATH ?? '',
    LANG: 'C.UTF-8',
    PYTHONWARNINGS: 'ignore',
    // It would open pages of a site that is gone.
    BROWSER: 'true',
  };
  const start = (command: string, args: string[], cwd: string) =>
    spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = async (command: string, args: string[], cwd: string): Promise<CliResult> => {
    const child = start(command, args, cwd);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes) => (stdout += bytes));
    child.stderr.on('data', (bytes) => (stderr += bytes));
    const [code] = await once(child, 'close');
    return { code: code ?? -1, stdout, stderr };
  };
  return {
    home,
    floyd: (args, cwd = home) => run(floydProgram ?? 'floyd', ['--host', server.url, ...args], cwd),
    here: (args, cwd = home) => run(python ?? 'python3', [script, server.url, ...args], cwd),
    start: (args, cwd = home) => start(python ?? 'python3', [script, server.url, ...args], cwd),
    local: (args, cwd = home) => run(beside('floyd-local') ?? 'floyd-local', args, cwd),
    async folder(name, files = {}) {
      const dir = await mkdtemp(path.join(home, `${name}-`));
      for (const [file, text] of Object.entries(files)) await writeFile(path.join(dir, file), text);
      return dir;
    },
  };
}

/** The first user's token, which `floyd login -k` takes. */
export async function tokenOf(server: TestServer): Promise<string> {
  const text = await readFile(path.join(server.home, 'secrets.json'), 'utf8');
  return (JSON.parse(text) as { token: string }).token;
}
