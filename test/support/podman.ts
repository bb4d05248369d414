import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { requireProgram, wantProgram } from './require.js';
import { eventually } from './server.js';

/** Programs without which podman runs no container, found only by root here. */
export const wantPodman = (): boolean =>
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  ['podman', 'runc', 'catatonit', 'busybox'].every((program) => wantProgram(program) !== undefined);

export interface Podman {
  /** unix:// address of its Docker API. */
  address: string;
  /** A small image: busybox and bash. */
  image: string;
  /** `podman ARGS`, on the same images and containers. @returns its stdout */
  podman(...args: string[]): string;
  stop(): Promise<void>;
}

const image = 'localhost/mycloud-test:v1';

/** podman's Docker API on a socket and in a storage of its own, with an image made without a registry. */
export async function startPodman(): Promise<Podman> {
  const program = requireProgram('podman');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'podman-test-'));
  const at = (name: string): string => path.join(dir, name);
  // As Debian's packages would have them in /etc, but that limits above our own can't be set in a container.
  writeFileSync(
    at('containers.conf'),
    '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\n' +
      `[network]\nnetwork_config_dir="${at('networks')}"\n`,
  );
  writeFileSync(
    at('storage.conf'),
    `[storage]\ndriver="overlay"\nrunroot="${at('run')}"\ngraphroot="${at('graph')}"\n`,
  );
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    CONTAINERS_CONF: at('containers.conf'),
    CONTAINERS_STORAGE_CONF: at('storage.conf'),
  };
  const podman = (...args: string[]): string =>
    execFileSync(program, ['--tmpdir', at('tmp'), ...args], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  importImage(dir, podman);
  const address = `unix://${at('podman.sock')}`;
  const service = spawn(program, ['--tmpdir', at('tmp'), 'system', 'service', '--time=0', address], {
    env,
    // Its conmon leaves a file named oom where it is when a container runs out of memory.
    cwd: dir,
    stdio: 'ignore',
  });
  await eventually('podman answers', async () => {
    if (service.exitCode !== null) throw new Error(`podman exited with ${service.exitCode}`);
    return connects(at('podman.sock'));
  });
  return {
    address,
    image,
    podman,
    async stop() {
      const ended = once(service, 'exit');
      service.kill('SIGTERM');
      await ended;
      podman('rm', '--all', '--force', '--time', '0');
      // Its helpers write on for a moment after their containers are gone.
      await eventually('podman lets go of its files', async () => {
        try {
          return podman('system', 'reset', '--force') !== undefined;
        } catch (error) {
          if (/not empty|busy/.test(String(error))) return false;
          throw error;
        }
      });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function connects(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
}

/** busybox with all its names, and this machine's bash with its libraries. */
function importImage(dir: string, podman: Podman['podman']): void {
  const root = path.join(dir, 'root');
  for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev'])
    mkdirSync(path.join(root, name), { recursive: true });
  const busybox = requireProgram('busybox');
  copyFileSync(busybox, path.join(root, 'bin/busybox'));
  for (const name of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n')) {
    if (name && name !== 'busybox') symlinkSync('busybox', path.join(root, 'bin', name));
  }
  copyFileSync('/bin/bash', path.join(root, 'bin/bash'));
  const libraries = execFileSync('ldd', ['/bin/bash'], { encoding: 'utf8' }).matchAll(/(\/\S+) \(/g);
  for (const [, library = ''] of libraries) {
    mkdirSync(path.dirname(path.join(root, library)), { recursive: true });
    copyFileSync(library, path.join(root, library));
  }
  writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  const tar = path.join(dir, 'root.tar');
  execFileSync('tar', ['-C', root, '-cf', tar, '.']);
  podman('import', '--change', 'ENV PATH=/bin', tar, image);
  rmSync(root, { recursive: true });
  rmSync(tar);
}
