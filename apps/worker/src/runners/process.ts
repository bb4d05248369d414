import { existsSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import {
  descendants,
  hasVariable,
  listProcesses,
  type ProcessInfo,
  readProcess,
  sendSignal,
} from '@mycloud/processes';
import { enterJob } from '../exec/enter.js';
import { cellMembersBelow, procsOf } from '../limits/cgroup-cell.js';
import type { Limits } from '../limits/limits.js';
import type { Launcher } from './launcher.js';
import { type JobDirs, type JobProcess, plainPaths, type Runner } from './runner.js';
import { gone, jobShell, startSupervised, supervised } from './supervisor.js';

/** A plain process: its own session and folders, no walls. Works everywhere. */
export function processRunner(limits: Limits, launcher: Launcher): Runner {
  return {
    name: 'process',
    mountsReadOnly: false,
    ...supervised(limits, members),
    paths: plainPaths,
    async start({ command, env, marker, dirs, limit }) {
      linkFolders(dirs);
      return startSupervised(launcher, {
        argv: [jobShell, '-c', command],
        cwd: dirs.code,
        env,
        marker,
        runDir: dirs.run,
        cell: limits.cell(marker, limit),
      });
    },
    async exec(job, { codeDir }, request) {
      const like = members(job)[0]?.pid;
      if (like === undefined) throw gone();
      return enterJob({ like, enter: false, cgroups: procsOf(job.cell), cwd: codeDir }, request);
    },
    async signal(job, _, signal) {
      const all = members(job);
      for (const { pid } of all) sendSignal(pid, signal);
      return all.length;
    },
  };
}

/**
 * All processes of a job, wherever they forked to, without the supervisor. Its cgroups know them; without, every process of
 * the machine is looked at.
 */
function members(job: JobProcess): ProcessInfo[] {
  const cell = job.cell.filter(existsSync);
  if (cell.length > 0) return cellMembersBelow(cell).flatMap((pid) => readProcess(pid) ?? []);
  const all = listProcesses();
  const below = new Set(descendants(all, job.pid).map((info) => info.pid));
  return all.filter((info) => info.pid !== job.pid && (below.has(info.pid) || belongs(info.pid, job)));
}

/** A daemon left its parent, session and group; its environment still names the job. */
const belongs = (pid: number, job: JobProcess): boolean =>
  hasVariable(pid, `MYCLOUD_EXECUTION=${job.marker}`);

/** `input` and `output` beside the code, for scripts with relative paths; what the code brings itself stays. */
export function linkFolders(dirs: JobDirs): void {
  const links = [{ name: 'output', dir: dirs.output }, ...dirs.mounts];
  for (const { name, dir } of links) {
    const link = path.join(dirs.code, name);
    if (!existsSync(link)) symlinkSync(dir, link);
  }
}
