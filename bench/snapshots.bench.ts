import { execFileSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { jobRoutes, projectRoutes, userRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { cliProgram, eventually, startServer } from '../test/support/server.js';
import { type BackupPeer, backupPeers, folderBytes, run } from './backup-peers.js';
import { measureMany, plantMany } from './many-files.js';
import { figure, median } from './report.js';

const MiB = 2 ** 20;
const rounds = Number(process.env.MYCLOUD_BENCH_ROUNDS ?? 3);
/** Of 1 KiB each. */
const manyFiles = Number(process.env.MYCLOUD_BENCH_FILES ?? 1_000_000);
const large = { files: 4, bytes: 128 * MiB };
const small = { files: 8192, bytes: 64 * 1024 };
const total = large.files * large.bytes + small.files * small.bytes;
/** 1 % of the small files, and what is inserted at the front of a large one. */
const changedFiles = Math.round(small.files / 100);
const changedBytes = (changedFiles + 1) * small.bytes;

const base = mkdtempSync(path.join(os.tmpdir(), 'mycloud-snapshots-bench-'));
const data = path.join(base, 'data');
const smallFile = (i: number) => path.join(data, `small/${i >> 8}/${i & 255}`);

/** Bytes that neither compress nor repeat, quicker than the system's own. */
const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
const noise = (bytes: number): Buffer => cipher.update(Buffer.alloc(bytes));

function plant(): void {
  mkdirSync(path.join(data, 'large'), { recursive: true });
  for (let i = 0; i < large.files; i++) writeFileSync(path.join(data, `large/${i}`), noise(large.bytes));
  for (let i = 0; i < small.files; i++) {
    if ((i & 255) === 0) mkdirSync(path.dirname(smallFile(i)), { recursive: true });
    writeFileSync(smallFile(i), noise(small.bytes));
  }
}

function change(round: number): void {
  const inserted = path.join(data, `large/${round % large.files}`);
  writeFileSync(inserted, Buffer.concat([noise(small.bytes), readFileSync(inserted)]));
  for (let i = 0; i < changedFiles; i++) writeFileSync(smallFile(i * 100 + round), noise(small.bytes));
}

/**
 * Touches as much memory as a measure takes. A virtual machine gives free memory back to its host, and taking it again costs up
 * to 2.6 s a GiB, whoever writes: that is not what is measured here.
 */
function touchMemory(): void {
  const program =
    'for (let i = 0; i < 3; i++) { const block = (globalThis[i] = Buffer.allocUnsafeSlow(2 ** 30)); for (let at = 0; at < block.length; at += 4096) block[at] = 1; }';
  execFileSync(process.execPath, ['-e', program]);
}

async function seconds(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

const mbPerSecond = (times: number[]): number => total / 1e6 / median(times);

/** What one of us took, round by round. */
interface Measured {
  name: string;
  first: number[];
  unchanged: number[];
  restore: number[];
  /** Bytes stored after a change. */
  stored: number[];
}

const empty = (name: string): Measured => ({
  name,
  first: [],
  unchanged: [],
  restore: [],
  stored: [],
});

/**
 * What was restored stays until all is measured: ext4 gives no inode away again for minutes after its file was deleted, and
 * whoever makes files next looks through all of those first.
 */
async function restored(measured: Measured, work: (target: string) => unknown): Promise<void> {
  const target = path.join(base, `restored-${measured.name}-${measured.restore.length}`);
  mkdirSync(target);
  touchMemory();
  measured.restore.push(await seconds(() => work(target)));
}

async function measurePeer(peer: BackupPeer, measured: Measured): Promise<void> {
  await peer.reset();
  touchMemory();
  measured.first.push(await seconds(() => run(peer.storeCommand(data))));
  measured.unchanged.push(await seconds(() => run(peer.storeCommand(data))));
  await restored(measured, (target) => run(peer.restoreCommand(target)));
}

plant();
// Hash caches trust no file younger than two seconds; borg and restic have the same rule.
await new Promise((resolve) => setTimeout(resolve, 2500));
const server = await startServer({ args: ['--runner', 'auto'] });
try {
  const admin = await server.client();
  const { peers, missing } = backupPeers(path.join(base, 'peers'));
  const ours = empty('mycloud');
  const theirs = peers.map((peer) => empty(peer.name));
  const store = path.join(server.home, 'store');

  /** A person of their own for every round: the server has none of their bytes, and their cache is empty. */
  async function newcomer(round: number) {
    const login = { name: `bench${round}`, password: randomBytes(12).toString('hex') };
    await admin.call(userRoutes.create, { body: login });
    const { token } = await admin.call(userRoutes.login, { body: login });
    const env = {
      MYCLOUD_URL: server.url,
      MYCLOUD_TOKEN: token,
      XDG_CACHE_HOME: path.join(base, `cache${round}`),
    };
    const cli = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await server.cli(args, { env });
      if (code !== 0) throw new Error(`mycloud ${args.join(' ')} exited ${code}: ${stderr}`);
    };
    return { name: login.name, client: createNodeClient({ url: server.url, token }), cli, env };
  }

  /** Runs a job on the dataset; from its claim to its start, ms. */
  async function readyMs(
    { name, client }: Awaited<ReturnType<typeof newcomer>>,
    source = 'bench',
    within = 300,
  ): Promise<number> {
    const at = { owner: name, project: 'bench' };
    // A job that is over at once tells no stage but its end.
    const body = { command: 'sleep 1', mounts: [{ source, name: 'input' }] };
    const job = await client.call(jobRoutes.create, { params: at, body });
    const params = { ...at, number: job.number };
    const ended = async () => (await client.call(jobRoutes.get, { params })).finishedAt ?? undefined;
    await eventually(`${job.name} ends`, ended, within);
    const { items } = await client.call(jobRoutes.events, { params });
    const timeOf = (type: string) => Date.parse(items.find((event) => event.type === type)?.time ?? '');
    return timeOf('running') - timeOf('preparing');
  }

  let person = await newcomer(0);
  for (let round = 1; round <= rounds; round++) {
    person = await newcomer(round);
    const upload = () => person.cli('data', 'upload', 'bench', '--dir', data);
    touchMemory();
    ours.first.push(await seconds(upload));
    ours.unchanged.push(await seconds(upload));
    await restored(ours, (target) => person.cli('data', 'get', 'bench', '-o', target));
    for (const [i, peer] of peers.entries()) await measurePeer(peer, theirs[i]!);
    // How much is new depends on where the chunks of random bytes end: another file in each round.
    change(round);
    const before = folderBytes(store);
    await upload();
    ours.stored.push(folderBytes(store) - before);
    for (const [i, peer] of peers.entries()) {
      const peerBefore = peer.bytes();
      await run(peer.storeCommand(data));
      theirs[i]!.stored.push(peer.bytes() - peerBefore);
    }
  }

  const show = (name: string, unit: string, of: (measured: Measured) => number): void => {
    for (const peer of theirs)
      figure('snapshots', name, of(ours), unit, { name: peer.name, value: of(peer) });
    for (const gone of missing) figure('snapshots', name, of(ours), unit, { missing: gone });
  };
  show('first_mb_s', 'MB/s', ({ first }) => mbPerSecond(first));
  show('unchanged_mb_s', 'MB/s', ({ unchanged }) => mbPerSecond(unchanged));
  show('changed_stored_ratio', '× what changed', ({ stored }) => median(stored) / changedBytes);
  show('download_mb_s', 'MB/s', ({ restore }) => mbPerSecond(restore));

  await person.client.call(projectRoutes.create, { body: { name: 'bench' } });
  const cold = await readyMs(person);
  const warm: number[] = [];
  for (let i = 0; i < 5; i++) warm.push(await readyMs(person));
  figure('snapshots', 'cold_ready_ms', cold, 'ms');
  figure('snapshots', 'warm_ready_ms', median(warm), 'ms');

  if (manyFiles > 0) {
    rmSync(data, { recursive: true });
    const many = path.join(base, 'many');
    plantMany(many, manyFiles, noise);
    const args = [cliProgram, 'data', 'upload', 'many', '--dir', many];
    const upload = { command: process.execPath, args, cwd: base, env: { ...process.env, ...person.env } };
    await measureMany(server, { data: many, base, peers }, upload, () => readyMs(person, 'many', 3600));
  }
} finally {
  await server.remove();
  rmSync(base, { recursive: true, force: true });
}
