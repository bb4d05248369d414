import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type CreateJob, type Job, jobRoutes, projectRoutes, userRoutes } from '@mycloud/shared';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Podman, startPodman, wantPodman } from './support/podman.js';
import { wantProgram } from './support/require.js';
import { cliProgram, eventually, startServer, type TestServer } from './support/server.js';
import { openTerminal } from './support/terminal.js';

const python = wantProgram('python3');
const runners = [
  ...(python ? ['process'] : []),
  ...(python && wantProgram('bwrap') ? ['bubblewrap'] : []),
  ...(wantPodman() ? ['docker'] : []),
];
/** Nobody else has it in a command line. */
const mark = `86${process.pid}`;

/** How many of this machine's processes, in containers too, are the `sleep` that the tests run. */
function sleeping(): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${mark}\0`;
    } catch {
      // It has just ended.
      return false;
    }
  }).length;
}

describe.each(runners)('a command inside a running job (%s)', (runner) => {
  let server: TestServer;
  let podman: Podman | undefined;
  let folder: string;
  const jobs: Job[] = [];

  beforeAll(async () => {
    if (runner === 'docker') podman = await startPodman();
    const docker = podman && { MYCLOUD_DOCKER: podman.address, MYCLOUD_DOCKER_NETWORK: 'none' };
    server = await startServer({ args: podman ? [] : ['--runner', runner], env: { ...docker } });
    folder = await server.project('inside');
  });
  afterEach(async () => {
    const client = await server.client();
    for (const { owner, project, number } of jobs.splice(0)) {
      const params = { owner, project, number };
      await client.call(jobRoutes.stop, { params });
      await server.ended(params);
    }
  });
  afterAll(async () => {
    await server?.remove();
    await podman?.stop();
  });

  /** A job that has begun and waits to be ended. */
  async function running(more: Partial<CreateJob> = {}): Promise<Job> {
    const client = await server.client();
    const { name: owner } = await client.call(userRoutes.me, {});
    const command = 'cat /proc/self/cgroup > "$MYCLOUD_OUTPUT/cgroup"; echo begun; while :; do sleep 1; done';
    const environment = podman ? `image:${podman.image}` : 'default';
    const body = { command, environment, ...more };
    const job = await client.call(jobRoutes.create, { params: { owner, project: 'inside' }, body });
    jobs.push(job);
    const params = { owner, project: 'inside', number: job.number };
    return eventually('it runs', async () => {
      const now = await client.call(jobRoutes.get, { params });
      return now.status === 'running' && now;
    });
  }
  const exec = (job: Job, argv: string[], input?: string) =>
    server.cli(['exec', String(job.number), '--', ...argv], { cwd: folder, input });
  const inTerminal = (job: Job) =>
    openTerminal([process.execPath, cliProgram, 'exec', String(job.number)], terminalEnv(server), folder);
  const noneLeft = () => eventually('nothing of it is left', async () => sleeping() === 0);

  it('finds the job’s files and variables, is under its limits, and ends as it ends', async () => {
    const job = await running({ env: { GREETING: 'hello' } });
    const told = await exec(job, [
      'sh',
      '-c',
      'echo "$GREETING $MYCLOUD_JOB"; cd "$MYCLOUD_OUTPUT"; cat cgroup; echo ---; cat /proc/self/cgroup; echo aside >&2; exit 7',
    ]);
    expect(told.code).toBe(7);
    expect(told.stderr).toBe('aside\n');
    const [first, ...rest] = told.stdout.split('\n');
    expect(first).toBe(`hello ${job.name}`);
    const [ofJob, ofCommand] = rest.join('\n').split('---\n');
    expect(ofCommand).toBe(`${ofJob}`);
    const client = await server.client();
    const { items } = await client.call(jobRoutes.events, {
      params: { owner: job.owner, project: job.project, number: job.number },
    });
    expect(items.at(-1)).toMatchObject({ type: 'exec', attempt: 1 });
    expect(items.at(-1)?.message).toContain('ran in it: sh -c echo "$GREETING');
  });

  it('takes bytes in and gives bytes out as they are', async () => {
    const job = await running();
    const bytes = randomBytes(3_000_000);
    const child = server.start(['exec', String(job.number), '--', 'cat'], { cwd: folder });
    const got: Buffer[] = [];
    child.stdout?.on('data', (piece: Buffer) => got.push(piece));
    child.stdin?.end(bytes);
    await new Promise((resolve) => child.once('close', resolve));
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    const json = await server
      .json(['exec', String(job.number), 'cat', 'nowhere'], { cwd: folder })
      .catch(String);
    expect(json).toContain('"exitCode":1');
  });

  it('in a terminal: its size, a change of it, Ctrl-C for the program alone, the exit code', async () => {
    const job = await running();
    const terminal = inTerminal(job);
    // A shell that echoes its input shows the words twice: once as typed, once as they come out.
    terminal.type('stty size; echo be""gun\r');
    await terminal.sees('24 80');
    await terminal.sees('begun');
    terminal.resize(40, 123);
    await terminal.sees(/begun/);
    await eventually('the new size is there', async () => {
      terminal.type('stty size\r');
      return terminal.shown().includes('40 123');
    });
    terminal.type(`sleep ${mark}\r`);
    await eventually('it sleeps', async () => sleeping() > 0);
    terminal.type('\x03');
    await noneLeft();
    terminal.type('echo code:$?; exit 9\r');
    await terminal.sees(/code:130/);
    expect(await terminal.ended).toBe(9);
  });

  it('ends with the command line that began it, killed without a word, and leaves nothing', async () => {
    const job = await running();
    const child = server.start(
      ['exec', String(job.number), '--', 'sh', '-c', `(sleep ${mark} &) ; exec sleep ${mark}`],
      {
        cwd: folder,
      },
    );
    await eventually('both sleep', async () => sleeping() === 2);
    child.kill('SIGKILL');
    await noneLeft();
    expect((await exec(job, ['echo', 'still there'])).stdout).toBe('still there\n');
  });

  it('ends with its job, and is refused afterwards with what to do', async () => {
    const job = await running();
    const asked = exec(job, ['sleep', mark]);
    await eventually('it sleeps', async () => sleeping() > 0);
    await server.cli(['stop', String(job.number)], { cwd: folder });
    expect((await asked).code).toBeGreaterThan(0);
    await noneLeft();
    await server.ended(job);
    const late = await exec(job, ['true']);
    expect(late.code).toBe(1);
    expect(late.stderr).toContain(`${job.name} has ended (stopped)`);
    expect(late.stderr).toContain(`mycloud restart ${job.name}`);
  });

  it('ends with its worker, whose job goes on', async () => {
    const job = await running();
    const asked = exec(job, ['sleep', mark]);
    await eventually('it sleeps', async () => sleeping() > 0);
    await server.stop();
    expect((await asked).code).toBeGreaterThan(0);
    await noneLeft();
    await server.restart();
    const again = await eventually('it is adopted', async () => {
      const told = await exec(job, [
        'cat',
        podman || runner === 'bubblewrap' ? '/output/cgroup' : 'output/cgroup',
      ]);
      return told.code === 0 && told;
    });
    expect(again.stdout.length).toBeGreaterThan(0);
  });
});

/** What a person's shell has that is logged in to this server. */
const terminalEnv = (server: TestServer): Record<string, string> => {
  const base = path.dirname(server.home);
  return {
    PATH: process.env.PATH ?? '',
    HOME: base,
    XDG_CONFIG_HOME: path.join(base, 'config'),
    LANG: 'C.UTF-8',
  };
};

describe('a command inside another’s job', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  it('is refused, of a public project too, and of a job that waits it says so', async () => {
    const folder = await server.project('shown');
    const job = await server.json<Job>(['run', '--machine', 'cpu', 'sleep 600'], { cwd: folder });
    const client = await server.client();
    await client.call(userRoutes.create, { body: { name: 'eve', password: 'correct horse battery' } });
    const { token } = await client.call(userRoutes.login, {
      body: { name: 'eve', password: 'correct horse battery' },
    });
    const asEve = { env: { MYCLOUD_TOKEN: token, MYCLOUD_URL: server.url }, cwd: folder };
    const hidden = await server.cli(['exec', job.name, '--', 'id'], asEve);
    expect(hidden.stderr).toMatch(/there is no project/);
    const params = { owner: job.owner, project: 'shown' };
    await client.call(projectRoutes.update, { params, body: { public: true } });
    const shown = await server.cli(['exec', job.name, '--', 'id'], asEve);
    expect(shown.stderr).toMatch(/belongs to .*; you may only look at it/);
    expect(shown.code).toBe(1);
    const large = Array.from({ length: 8 }, () => server.json<Job>(['run', 'sleep 600'], { cwd: folder }));
    // They are submitted at once: the one numbered last is the last in line.
    const waiting = (await Promise.all(large)).sort((a, b) => a.number - b.number).at(-1)!;
    const refused = await eventually('one waits', async () => {
      const told = await server.cli(['exec', waiting.name, '--', 'id'], { cwd: folder });
      return told.stderr.includes('queued') && told;
    });
    expect(refused.stderr).toMatch(/is queued; a command needs it to run/);
  });
});
