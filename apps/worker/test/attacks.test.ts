import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { materialize, uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mayNamespace } from '../../../test/support/cluster/network.js';
import { jobsNetwork } from '../src/runners/docker-network.js';
import { searchPath, writePackage } from './support/package-index.js';
import { jobLines, localRunners, type RunnerName, runners, until, World } from './support/world.js';

const program = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, `attacks/${name}.sh`), 'utf8');

/** A plain process has no walls; docs/security.md says so. */
const walled = runners.filter((runner) => runner !== 'process');

describe.each(walled)('a job that means ill, by the %s runner', (runner) => {
  let world: World;
  let folder: string;
  let snapshot: { snapshotId: string; snapshot: string };
  let workerPid: number;
  let canary: Server;
  /** The server's, beside the worker's home. */
  let serverHome: string;

  beforeAll(async () => {
    world = await World.open();
    folder = mkdtempSync(path.join(tmpdir(), 'worker-test-'));
    serverHome = path.join(folder, 'server');
    mkdirSync(path.join(folder, 'data'));
    mkdirSync(serverHome);
    writeFileSync(path.join(folder, 'data/a.txt'), 'first\n');
    writeFileSync(path.join(serverHome, 'secrets.json'), '{"token": "canary of the server"}');
    writeFileSync(path.join(world.home, 'note'), 'canary of the worker');
    const saved = await uploadFolder({
      client: world.api.snapshots.client,
      dir: path.join(folder, 'data'),
    });
    snapshot = { snapshotId: saved.snapshotId, snapshot: saved.hash };
    canary = createServer((socket) => socket.on('error', () => undefined).end('canary')).listen(
      0,
      '127.0.0.1',
    );
    await once(canary, 'listening');
    const worker = await world.start(runner, {
      MYCLOUD_SLOTS: '4',
      MYCLOUD_HOME: serverHome,
      MYCLOUD_BUBBLEWRAP_NETWORK: 'none',
      SECRET_OF_THE_HOST: 'canary of the environment',
    });
    workerPid = worker.child.pid!;
  });
  afterAll(async () => {
    await world.close();
    canary.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What an attack got, of what it says of itself. */
  async function got(name: string, env: Record<string, string> = {}): Promise<string[]> {
    const more = { env, mounts: [{ name: 'input', ...snapshot }], code: snapshot };
    const attempt = await world.finished(world.submit(program(name), more), 90);
    const lines = jobLines(attempt);
    // It must have come to its end for its silence to mean something.
    expect(lines.at(-1)).toBe('done');
    return lines.filter((line) => line.startsWith('GOT'));
  }

  it('reads nothing of the machine, the server, its worker or another job', async () => {
    const other = world.submit('echo "canary of another" >$MYCLOUD_OUTPUT/result; echo there; sleep 300', {
      env: { OTHERS_SECRET: 'canary in the environment of another' },
    });
    await world.line(other, 'there');
    const output = filesNamed(world.home, 'result')[0]!;
    expect(readFileSync(output, 'utf8')).toContain('canary');
    const secrets = [path.join(serverHome, 'secrets.json'), path.join(world.home, 'note'), output];
    const found = await got('read-what-is-not-its-own', {
      SECRET_FILES: secrets.join(' '),
      SECRET_FOLDERS: `${serverHome} ${path.dirname(path.dirname(output))}`,
      OTHER_OUTPUT: output,
      WORKER_PID: String(workerPid),
    });
    world.stopJob(other);
    await world.finished(other);
    expect(found).toEqual([]);
  });

  it('changes nothing that it was given to read, and gets no more rights', async () => {
    expect(await got('break-out')).toEqual([]);
    const after = await world.finished(
      world.submit('cat $MYCLOUD_INPUT/a.txt', { mounts: [{ name: 'input', ...snapshot }] }),
    );
    expect(jobLines(after)).toEqual(['first']);
  });

  it('leaves an output that harms nobody who saves or reads it', async () => {
    const attempt = await world.finished(world.submit(program('poison-output')), 90);
    expect(jobLines(attempt).at(-1)).toBe('done');
    const { finish } = attempt;
    expect(finish?.outputSnapshotId, JSON.stringify(finish)).toBeTruthy();
    const dir = path.join(folder, 'fetched');
    const { client } = world.api.snapshots;
    await materialize({ client, snapshotId: finish!.outputSnapshotId!, dir });
    const fetched = readdirSync(dir, { withFileTypes: true });
    expect(readFileSync(path.join(dir, 'fine'), 'utf8')).toBe('kept\n');
    // A link that leads out of the tree, a pipe: not there. No file is run as anybody else.
    const names = fetched.map((entry) => entry.name);
    for (const bad of ['absolute', 'relative', 'everything', 'fifo']) expect(names).not.toContain(bad);
    const modes = fetched.filter((entry) => entry.isFile()).map(({ name }) => modeOf(path.join(dir, name)));
    expect(modes.every((mode) => (mode & 0o7000) === 0)).toBe(true);
  });

  it('reaches nothing of the machine where it is given no network', async () => {
    const { port } = canary.address() as AddressInfo;
    const addresses = `127.0.0.1/${port} 169.254.169.254/80`;
    expect(await got('call-the-machine', { ADDRESSES: addresses })).toEqual([]);
  });

  it('leaves the worker well', async () => {
    const attempt = await until(
      async () => world.finished(world.submit('echo well')),
      'a job after all of these',
    );
    expect(jobLines(attempt)).toEqual(['well']);
  });
});

const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });

/** The address of a link that is nobody's: as far from jobs as the one where clouds have their metadata. */
const metadata = '169.254.213.7';

describe.runIf(mayNamespace())('a cloud’s metadata', () => {
  let cloud: Server;
  let at: string;
  beforeAll(async () => {
    run('ip', 'addr', 'replace', `${metadata}/32`, 'dev', 'lo');
    cloud = createServer((socket) => socket.on('error', () => undefined).end('keys')).listen(0, metadata);
    await once(cloud, 'listening');
    at = `${metadata}/${(cloud.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    cloud.close();
    run('ip', 'addr', 'del', `${metadata}/32`, 'dev', 'lo');
  });

  /** What a job says that calls it. */
  async function told(runner: RunnerName, env: Record<string, string>): Promise<string[]> {
    const world = await World.open();
    try {
      const worker = await world.start(runner, env);
      const job = world.submit(program('call-the-machine'), { env: { ADDRESSES: at } });
      const lines = jobLines(await world.finished(job, 60));
      await worker.stop();
      return lines;
    } finally {
      await world.close();
    }
  }

  it.each(localRunners)('is refused to a job by the %s runner, unless the admin opens it', async (runner) => {
    expect(await told(runner, {})).toEqual(['done']);
    expect(await told(runner, { MYCLOUD_JOBS_METADATA: 'open' })).toEqual([`GOT ${at}`, 'done']);
  });

  it.runIf(runners.includes('docker'))(
    'is refused to a container on the network of jobs, unless the admin opens it',
    async () => {
      const own = { MYCLOUD_DOCKER_NETWORK: jobsNetwork };
      // What hangs the shell ends, and says so.
      const lines = await told('docker', own);
      expect(lines.filter((line) => line !== 'Terminated')).toEqual(['done']);
      expect(await told('docker', { ...own, MYCLOUD_JOBS_METADATA: 'open' })).toEqual([`GOT ${at}`, 'done']);
    },
    60_000,
  );

  it.runIf(runners.includes('bubblewrap'))(
    'is refused to the setup code of a package, unless the admin opens it',
    async () => {
      const [host = '', port = ''] = at.split('/');
      const lists = () => `CALLED += [(${JSON.stringify(host)}, ${port})]`;
      expect(await setupCodeGot({}, lists)).toBe('looked and got []');
      expect(await setupCodeGot({ MYCLOUD_JOBS_METADATA: 'open' }, lists)).toBe(
        `looked and got [${host}:${port}]`,
      );
    },
    300_000,
  );

  it('leaves no rule of the firewall behind when its worker ends', async () => {
    const world = await World.open();
    // Other workers come and go beside this test, each with rules for a cgroup of its own.
    const rules = () =>
      run('iptables', '-w', '-S', 'OUTPUT')
        .split('\n')
        .filter((rule) => rule.includes(world.cells));
    const worker = await world.start('process');
    expect(rules().join('\n')).toContain('169.254.0.0/16');
    await worker.stop();
    expect(rules()).toEqual([]);
    await world.close();
  });
});

/** What setup code that means ill got while a worker built its package, as the job's end says it. */
async function setupCodeGot(
  env: Record<string, string>,
  listsFor: (world: World, workerPid: number) => string,
): Promise<string> {
  const world = await World.open();
  const folder = mkdtempSync(path.join(tmpdir(), 'worker-test-'));
  try {
    writeFileSync(path.join(world.home, 'note'), 'canary of the worker');
    const worker = await world.start('bubblewrap', { PATH: searchPath(folder), ...env });
    writePackage(path.join(folder, 'code/evil'), 'evil');
    writeFileSync(path.join(folder, 'code/requirements.txt'), './evil\n');
    const backend = readFileSync(path.join(import.meta.dirname, 'attacks/backend.py'), 'utf8');
    const lists = listsFor(world, worker.child.pid!);
    writeFileSync(path.join(folder, 'code/evil/backend.py'), `${backend}\n${lists}\n`);
    const saved = await uploadFolder({
      client: world.api.snapshots.client,
      dir: path.join(folder, 'code'),
    });
    const attempt = await world.finished(
      world.submit('true', {
        environment: { name: 'lab', description: '', interpreter: 'python', requirements: [] },
        code: { snapshotId: saved.snapshotId, snapshot: saved.hash },
      }),
      150,
    );
    expect(readFileSync(path.join(world.home, 'note'), 'utf8')).toBe('canary of the worker');
    return /looked and got \[.*\]/.exec(attempt.finish?.detail ?? '')?.[0] ?? `${attempt.finish?.detail}`;
  } finally {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.runIf(runners.includes('bubblewrap'))('setup code that means ill', () => {
  it('sees no secret of the worker while its package is built, and spoils nothing', {
    timeout: 180_000,
  }, async () => {
    const got = await setupCodeGot({ SECRET_OF_THE_HOST: 'canary of the environment' }, ({ home }, pid) => {
      const [note, shelf] = [path.join(home, 'note'), path.join(home, 'environments')];
      return `WHERE += ${JSON.stringify([note, `/proc/${pid}/environ`])}
WRITTEN += ${JSON.stringify([path.join(shelf, 'spoilt'), '/etc/spoilt', '/usr/spoilt'])}`;
    });
    expect(got).toBe('looked and got []');
  });
});

const modeOf = (file: string): number => statSync(file).mode;

/** Files of that name below a folder. */
function filesNamed(folder: string, name: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile() && entry.name === name)
    .map((entry) => path.join(entry.parentPath, name));
}
