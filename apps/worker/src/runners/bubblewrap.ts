import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  descendants,
  hasVariable,
  listProcesses,
  type ProcessInfo,
  readProcess,
  sendSignal,
} from '@mycloud/processes';
import { EnvironmentError } from '../environments/environment.js';
import { enterJob } from '../exec/enter.js';
import { freeLoopbackPort } from '../free-port.js';
import { procsOf } from '../limits/cgroup-cell.js';
import type { Limits } from '../limits/limits.js';
import { isInSystem, systemView } from './host-view.js';
import type { Launcher } from './launcher.js';
import { type JobDirs, type JobProcess, type Launch, ownPaths, type Runner } from './runner.js';
import { gone, jobShell, startSupervised, supervised } from './supervisor.js';

/** Whether bubblewrap really works here: installed, and allowed to make namespaces. */
export async function bubblewrapWorks(): Promise<boolean> {
  try {
    const args = ['--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', '--dev', '/dev', 'true'];
    await promisify(execFile)('bwrap', args, { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

export interface Walls {
  /** Folders of the host that no job may see, wherever they lie. */
  hidden: readonly string[];
  /** `none`: a job reaches itself alone. */
  network: 'host' | 'none';
}

/** The job has its own view of files and processes: /input…, /output, /code. Needs no root. */
export function bubblewrapRunner(limits: Limits, launcher: Launcher, walls: Walls): Runner {
  return {
    name: 'bubblewrap',
    mountsReadOnly: true,
    ...supervised(limits, members),
    paths: ownPaths,
    async choosePort() {
      if (walls.network === 'host') return freeLoopbackPort();
      throw new EnvironmentError(
        'jobs of this worker have no network (MYCLOUD_BUBBLEWRAP_NETWORK=none), so nothing in them can be reached',
      );
    },
    start: (launch) =>
      startSupervised(launcher, {
        argv: ['bwrap', ...sandbox(launch, walls), '--', jobShell, '-c', launch.command],
        cwd: launch.dirs.run,
        env: launch.env,
        marker: launch.marker,
        runDir: launch.dirs.run,
        cell: limits.cell(launch.marker, launch.limit),
      }),
    async exec(job, { runDir }, request) {
      const like = initPid(job, runDir);
      if (like === null) throw gone();
      return enterJob({ like, enter: true, cgroups: procsOf(job.cell), cwd: '/code' }, request);
    },
    async signal(job, runDir, signal) {
      const init = initPid(job, runDir);
      if (init === null) return 0;
      const all = members(job, runDir);
      // With its init the whole pid namespace ends, whatever forks meanwhile.
      if (signal === 'SIGKILL') sendSignal(init, 'SIGKILL');
      else for (const { pid } of all) sendSignal(pid, signal);
      return all.length;
    },
  };
}

/** bwrap's own init is not of the job; orphans of the job become its children. */
function members(job: JobProcess, runDir: string): ProcessInfo[] {
  const init = initPid(job, runDir);
  return init === null ? [] : descendants(listProcesses(), init);
}

/** Words for bwrap: the view of files and processes that a job has. */
export function sandbox({ dirs, environment, gpus }: Launch, { hidden, network }: Walls): string[] {
  const args = [...systemView(hidden), '--proc', '/proc', '--dev', '/dev', '--bind', dirs.tmp, '/tmp'];
  // Where systemd-resolved is, /etc/resolv.conf points there.
  args.push('--ro-bind-try', '/run/systemd/resolve', '/run/systemd/resolve');
  const isHidden = (folder: string) => hidden.some((one) => folder.startsWith(one + path.sep));
  for (const folder of environment.readOnly)
    if (!isInSystem(folder) || isHidden(folder)) args.push('--ro-bind', folder, folder);
  if (gpus.length > 0) for (const device of gpuDevices()) args.push('--dev-bind', device, device);
  if (network === 'none') args.push('--unshare-net');
  args.push(...binds(dirs), '--chdir', '/code', '--remount-ro', '/');
  // --cap-drop: as root it could otherwise remount its inputs writable.
  args.push('--cap-drop', 'ALL', '--unshare-pid', '--unshare-ipc', '--new-session', '--json-status-fd', '3');
  return args;
}

function binds(dirs: JobDirs): string[] {
  const inputs = dirs.mounts.flatMap(({ name, dir }) => ['--ro-bind', dir, `/${name}`]);
  const own = [
    '--bind',
    dirs.output,
    '/output',
    '--bind',
    dirs.code,
    '/code',
    '--bind',
    dirs.home,
    '/home/job',
  ];
  return [...inputs, ...own];
}

function gpuDevices(): string[] {
  const names = readdirSync('/dev').filter((name) => name.startsWith('nvidia'));
  return [...names.map((name) => `/dev/${name}`), '/dev/dxg'].filter((device) => existsSync(device));
}

/** The init of the job's pid namespace, as the host numbers it; null before it is there and after its end. */
function initPid(job: JobProcess, runDir: string): number | null {
  const status = path.join(runDir, 'status');
  const pid = existsSync(status) ? /"child-pid":\s*(\d+)/.exec(readFileSync(status, 'utf8'))?.[1] : undefined;
  if (pid === undefined) return null;
  const init = readProcess(Number(pid));
  const isOurs = init && hasVariable(init.pid, `MYCLOUD_EXECUTION=${job.marker}`);
  return isOurs ? init.pid : null;
}
