import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { descendants } from '../test/support/processes.js';
import type { TestServer } from '../test/support/server.js';
import type { BackupPeer } from './backup-peers.js';
import { figure } from './report.js';

const MiB = 2 ** 20;

/** Writes `count` files of 1 KiB, 256 a folder, as datasets of crops and tokens are. */
export function plantMany(dir: string, count: number, noise: (bytes: number) => Buffer): void {
  const perFolder = 256;
  for (let i = 0; i < count; i++) {
    const folder = path.join(
      dir,
      String(Math.floor(i / perFolder / perFolder)),
      String(Math.floor(i / perFolder)),
    );
    if (i % perFolder === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, String(i % perFolder)), noise(1024));
  }
}

/** The most memory a process has had, bytes; 0 once it is gone. */
function peakMemory(pid: number): number {
  try {
    const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

interface Took {
  seconds: number;
  /** Bytes. */
  memory: number;
}

/** Runs a program to its end and watches its memory. */
async function watched(
  command: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Took> {
  const from = performance.now();
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (bytes) => (errors += bytes));
  let memory = 0;
  const watch = setInterval(() => {
    memory = Math.max(memory, peakMemory(child.pid!));
  }, 50);
  const [code] = await once(child, 'close');
  clearInterval(watch);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited ${code}: ${errors}`);
  return { seconds: (performance.now() - from) / 1000, memory };
}

/**
 * Uploads and mounts very many small files, and has each peer store and restore them.
 * @param upload the command line's arguments and surroundings. @param readyMs runs a job on them: from its claim to its start
 */
export async function measureMany(
  server: TestServer,
  at: { data: string; base: string; peers: readonly BackupPeer[] },
  upload: { command: string; args: string[]; cwd: string; env: NodeJS.ProcessEnv },
  readyMs: () => Promise<number>,
): Promise<void> {
  const uploaded = await watched(upload.command, upload.args, upload);
  const mounted = (await readyMs()) / 1000;
  const servers = descendants(server.pid, /(api|worker)\/dist\/main\.js/).map(peakMemory);
  const memory = Math.max(uploaded.memory, ...servers);
  if (at.peers.length === 0) {
    for (const missing of ['borg', 'restic']) {
      figure('snapshots', 'million_upload_s', uploaded.seconds, 's', { missing });
      figure('snapshots', 'million_mount_s', mounted, 's', { missing });
      figure('snapshots', 'million_memory_mb', memory / MiB, 'MiB', { missing });
    }
  }
  for (const peer of at.peers) {
    await peer.reset();
    const { name } = peer;
    const stored = await watched(...peer.storeCommand(at.data));
    const target = path.join(at.base, 'many-target');
    mkdirSync(target);
    const restored = await watched(...peer.restoreCommand(target));
    rmSync(target, { recursive: true });
    const theirs = Math.max(stored.memory, restored.memory) / MiB;
    figure('snapshots', 'million_upload_s', uploaded.seconds, 's', { name, value: stored.seconds });
    figure('snapshots', 'million_mount_s', mounted, 's', { name, value: restored.seconds });
    figure('snapshots', 'million_memory_mb', memory / MiB, 'MiB', { name, value: theirs });
  }
}
