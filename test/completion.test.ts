import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from './support/require.js';
import { cliProgram, eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  server = await startServer();
  folder = await server.project('cats', {
    'mycloud.yml': 'task: {train: {command: x}, test: {command: y}}',
    'notes.txt': '',
  });
  await mkdir(path.join(server.folder, 'data'));
  await writeFile(path.join(server.folder, 'data/a.txt'), 'a');
  await server.json(['data', 'upload', 'dogsvscats', '--dir', 'data']);
  await server.json(['run', 'true'], { cwd: folder });
  const bin = path.join(server.folder, 'bin');
  await mkdir(bin);
  await writeFile(path.join(bin, 'mycloud'), `#!/bin/sh\nexec ${process.execPath} ${cliProgram} "$@"\n`);
  await chmod(path.join(bin, 'mycloud'), 0o755);
  env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: server.folder,
    XDG_CONFIG_HOME: path.join(server.home, '../config'),
    TERM: 'dumb',
    PS1: '$ ',
  };
});
afterAll(() => server?.remove());

/** What bash offers when TAB is pressed behind a line, which it has taken for these words. */
async function offered(words: string[], more: Record<string, string> = {}): Promise<string[]> {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `eval "$(mycloud completion bash)"; COMP_WORDS=(mycloud ${quoted}); COMP_CWORD=${words.length}; _mycloud; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', script], {
    cwd: folder,
    env: { ...env, ...more },
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(Boolean);
}

describe.runIf(wantProgram('bash'))('bash completes', () => {
  it.each([
    ['a command', ['sta'], ['status']],
    ['a command of a group', ['data', 'list'], ['list', 'listfiles']],
    ['a flag', ['run', '--max'], ['--max-runtime']],
    ['a flag after the words of a command', ['restart', '1', '--no-t'], ['--no-tensorboard', '--no-tags']],
    ['an environment', ['run', '--env', 'keras-2'], ['keras-2.15']],
    ['an environment behind =, which bash takes apart', ['run', '--env', '=', 'keras-2'], ['keras-2.15']],
    ['a machine', ['run', '--machine', 'gpu'], ['gpu', 'gpu2']],
    ['a dataset', ['run', '--data', 'dog'], ['dogsvscats']],
    ['its version', ['run', '--data', 'dogsvscats/'], ['dogsvscats/1']],
    ['a dataset that is an argument', ['data', 'clone', 'dog'], ['dogsvscats']],
    ['a task of the folder', ['run', '--task', 't'], ['train', 'test']],
    ['a job of the folder', ['logs', '-f', '1'], ['1']],
    ['a job in full', ['compare', '1', 'ca'], ['cats/1']],
    ['a choice', ['completion', 'z'], ['zsh']],
    ['an environment to show', ['env', 'show', 'pyth'], ['python3']],
    ['a project', ['init', 'ca'], ['cats']],
    ['nothing where a text of one’s own belongs, so that bash shows files', ['run', '-m', ''], []],
    ['nothing of what is hidden', ['compl'], ['completion']],
  ])('%s', async (_, words, expected) => {
    expect(await offered(words)).toEqual(expected);
  });

  it('nothing, and says nothing, when nobody is logged in or no server answers', async () => {
    expect(await offered(['run', '--env', 'k'], { XDG_CONFIG_HOME: '/nowhere' })).toEqual([]);
    const away = { MYCLOUD_URL: 'http://127.0.0.1:9', MYCLOUD_TOKEN: 'myc_x' };
    expect(await offered(['logs', ''], away)).toEqual([]);
    expect(await offered(['sto'], away)).toEqual(['stop']);
  });
});

/** Types into a shell of its own, waiting for what it answers. */
async function typed(
  shell: string,
  into: (type: (keys: string, until: string) => Promise<void>) => Promise<void>,
) {
  const typing = spawn('script', ['-qefc', shell, '/dev/null'], { cwd: folder, env, stdio: 'pipe' });
  let seen = '';
  typing.stdout.on('data', (bytes) => (seen += bytes));
  const closed = once(typing, 'close');
  await into(async (keys, until) => {
    typing.stdin.write(keys);
    await eventually(`${shell} shows ${until}`, async () => seen.includes(until), 20);
  });
  typing.stdin.write('\u0015exit\n');
  await closed;
}

describe.runIf(wantProgram('script'))('a line that a person types, by TAB', () => {
  it.runIf(wantProgram('bash'))('in bash', () =>
    typed('bash --norc -i', async (type) => {
      await type('eval "$(mycloud completion bash)"; echo ready-$((1+1))\n', 'ready-2');
      await type('mycloud run --task tr\t', '--task train ');
      await type('--env=keras-2\t', '--env=keras-2.15');
    }),
  );

  it.runIf(wantProgram('zsh'))('in zsh', () =>
    typed('zsh -f -i', async (type) => {
      await type('autoload -Uz compinit; compinit -u -D; eval "$(mycloud completion zsh)"\n', 'zsh)"');
      await type('echo ready-$((1+1))\n', 'ready-2');
      await type('mycloud run --task tr\t', '--task train');
      await type(' --env keras-2\t', '--env keras-2.15');
    }),
  );
});

describe.runIf(wantProgram('fish'))('fish offers the same, with what each is', () => {
  it.each([
    ['mycloud sta', ['status']],
    ['mycloud run --env keras-2', ['keras-2.15']],
    ['mycloud run --env=keras-2', ['--env=keras-2.15']],
    ['mycloud run -m not', ['notes.txt']],
  ])('%s', async (line, expected) => {
    const script = `mycloud completion fish | source; complete -C '${line}'`;
    const { stdout } = await promisify(execFile)('fish', ['--no-config', '-c', script], { cwd: folder, env });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((one) => one.split('\t')[0]),
    ).toEqual(expected);
  });
});

it('zsh and fish get a script that asks for the same', async () => {
  for (const shell of ['zsh', 'fish']) {
    const { stdout } = await server.cli(['completion', shell]);
    expect(stdout).toContain('complete -- ');
    expect(await server.json(['completion', shell])).toEqual({ shell, script: stdout });
  }
  const { stdout } = await server.cli(['complete', '--', 'env', 'show', 'def']);
  expect(stdout).toMatch(/^default\t\S/);
});
