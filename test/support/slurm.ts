import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { wantProgram } from './require.js';
import { eventually } from './server.js';
import { freePort } from './services.js';

const exec = promisify(execFile);
const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel'];
/** Where Debian has the daemons, which is not in everybody's PATH. */
const sbin = (name: string): string[] => [`/usr/sbin/${name}`];

/** Whether Slurm is installed, and this is root, whom its daemons need. @throws Error in CI when it is missing */
export const wantSlurm = (): boolean =>
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  programs.every((name) => wantProgram(name, sbin(name)) !== undefined);

type Daemon = 'munged' | 'slurmctld' | 'slurmd';

/** Slurm with one node, which is this machine, in a folder of its own and on ports of its own. */
export interface OneNodeSlurm {
  /** Its slurm.conf: SLURM_CONF of whoever uses it. */
  readonly conf: string;
  readonly dir: string;
  /** The name of its node. */
  readonly node: string;
  /** Runs a command of it. @returns its stdout */
  run(program: string, ...args: string[]): Promise<string>;
  /** Ends a daemon as a crash would, or in order. */
  end(daemon: Daemon, signal?: NodeJS.Signals): Promise<void>;
  /** Starts one that was ended, and waits until the node takes jobs again. */
  start(daemon: Daemon): Promise<void>;
  /** Has its node fail, as far as Slurm knows. */
  failNode(): Promise<unknown>;
  /** Has it take jobs again. */
  resumeNode(): Promise<unknown>;
  /** Ends all of it, jobs included. */
  stop(): Promise<void>;
}

export interface SlurmOptions {
  /** CPUs the node says it has, whatever is there. */
  slots: number;
  /** Lines of slurm.conf in addition; the last of a name counts. */
  lines?: string[];
  /** Of its node, such as `RealMemory=8000 Gres=gpu:2`. */
  node?: string;
  /** Lines of cgroup.conf; none: jobs are tracked by /proc and nothing limits them. */
  cgroup?: string[];
  /** Lines of gres.conf. */
  gres?: string[];
  /** Its partitions, instead of one named main. */
  partitions?: string[];
}

/** cgroup.conf that holds jobs to their memory, by the cgroups that are here. */
export const cgroupLines = [
  `CgroupPlugin=cgroup/${existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1'}`,
  'ConstrainRAMSpace=yes',
];

/** Starts munged, slurmctld and slurmd, and waits until the node is idle. */
export async function startSlurm(options: SlurmOptions): Promise<OneNodeSlurm> {
  const dir = mkdtempSync(path.join(tmpdir(), 'mycloud-slurm-'));
  const at = (name: string): string => path.join(dir, name);
  const conf = at('slurm.conf');
  // Its cgroups are named by it, and those of another of these, whose jobs are numbered alike, must not be taken for its own.
  const node = `n${randomBytes(4).toString('hex')}`;
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, SLURM_CONF: conf };
  const args: Record<Daemon, string[]> = {
    munged: [
      ...['--foreground', '--force', '--num-threads=2', `--key-file=${at('key')}`, `--socket=${at('munge')}`],
      ...[`--pid-file=${at('munged.pid')}`, `--log-file=${at('munged.log')}`, `--seed-file=${at('seed')}`],
    ],
    slurmctld: ['-D', '-i'],
    slurmd: ['-D', '-N', node],
  };
  const daemons = new Map<Daemon, ChildProcess>();
  const run = async (program: string, ...words: string[]): Promise<string> =>
    (await exec(program, words, { env, cwd: dir })).stdout;
  const launch = (daemon: Daemon): void => {
    daemons.set(daemon, spawn(daemon, args[daemon], { env, stdio: 'ignore' }));
  };
  const end = async (daemon: Daemon, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    const child = daemons.get(daemon);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const takesJobs = (): Promise<unknown> =>
    eventually('the node takes jobs', async () => {
      for (const [name, child] of daemons) {
        if (child.exitCode) throw new Error(`${name} exited with ${child.exitCode}\n${logs(dir)}`);
      }
      const states = await run('sinfo', '-h', '-o', '%T').catch(() => '');
      return /^(idle|mixed|allocated)$/m.test(states);
    });
  const slurm: OneNodeSlurm = {
    conf,
    dir,
    node,
    run,
    end,
    async start(daemon) {
      launch(daemon);
      await takesJobs();
    },
    failNode: () => run('scontrol', 'update', `NodeName=${node}`, 'State=DOWN', 'Reason=test'),
    async resumeNode() {
      // It may be back already, by ReturnToService.
      await run('scontrol', 'update', `NodeName=${node}`, 'State=RESUME').catch((error: Error) => {
        if (!error.message.includes('Invalid node state')) throw error;
      });
      await takesJobs();
    },
    async stop() {
      if (daemons.get('slurmctld')?.exitCode === null) {
        await run('scancel', '--state=PENDING', '-u', 'root').catch(() => undefined);
        await run('scancel', '--signal=KILL', '--full', '-u', 'root').catch(() => undefined);
        await eventually(
          "Slurm's jobs end",
          async () => (await run('squeue', '-h').catch(() => '')) === '',
          30,
        );
      }
      for (const daemon of ['slurmd', 'slurmctld', 'munged'] as const) await end(daemon);
      for (const parent of cgroupParents(node)) removeCgroups(parent);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    writeFileSync(at('key'), randomBytes(1024), { mode: 0o400 });
    for (const name of ['state', 'spool']) mkdirSync(at(name));
    for (const name of ['cgroup', 'gres'] as const) {
      const lines = options[name];
      if (lines) writeFileSync(at(`${name}.conf`), `${lines.join('\n')}\n`);
    }
    writeFileSync(conf, await configuration(dir, node, options));
    launch('munged');
    await eventually('munge listens', async () => existsSync(at('munge')));
    launch('slurmctld');
    launch('slurmd');
    await takesJobs();
  } catch (error) {
    await slurm.stop();
    throw error;
  }
  return slurm;
}

/** What slurmd made for a node's jobs, and doesn't take away. */
const cgroupParents = (node: string): string[] =>
  readdirSync('/sys/fs/cgroup')
    .map((name) => path.join('/sys/fs/cgroup', name, `slurm_${node}`))
    .filter(existsSync);

function removeCgroups(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroups(path.join(dir, entry.name));
  }
  rmdirSync(dir);
}

/** What its daemons wrote last. */
export const logs = (dir: string): string =>
  ['slurmctld.log', 'slurmd.log']
    .map((name) => path.join(dir, name))
    .filter(existsSync)
    .map((file) => readFileSync(file, 'utf8').slice(-2000))
    .join('\n');

async function configuration(dir: string, name: string, options: SlurmOptions): Promise<string> {
  const at = (name: string): string => path.join(dir, name);
  const { slots, lines = [], node = '', cgroup, gres, partitions } = options;
  return [
    'ClusterName=test',
    `SlurmctldHost=${hostname()}(127.0.0.1)`,
    'AuthType=auth/munge',
    `AuthInfo=socket=${at('munge')}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    `SlurmctldPort=${await freePort()}`,
    `SlurmdPort=${await freePort()}`,
    `StateSaveLocation=${at('state')}`,
    `SlurmdSpoolDir=${at('spool')}`,
    `SlurmctldPidFile=${at('slurmctld.pid')}`,
    `SlurmdPidFile=${at('slurmd.pid')}`,
    `SlurmctldLogFile=${at('slurmctld.log')}`,
    `SlurmdLogFile=${at('slurmd.log')}`,
    'SlurmctldDebug=error',
    'SlurmdDebug=error',
    `ProctrackType=proctrack/${cgroup ? 'cgroup' : 'linuxproc'}`,
    `TaskPlugin=task/${cgroup ? 'cgroup' : 'none'}`,
    'MpiDefault=none',
    'ReturnToService=2',
    'SelectType=select/cons_tres',
    ...(gres ? ['GresTypes=gpu'] : []),
    // More slots than cores: it looks for the next job once a second, and fills what is free then.
    'SlurmdParameters=config_overrides',
    'SchedulerParameters=batch_sched_delay=0,sched_interval=5',
    'MinJobAge=300',
    'KillWait=5',
    ...lines,
    `NodeName=${name} NodeHostname=${hostname()} NodeAddr=127.0.0.1 CPUs=${slots} ${node} State=UNKNOWN`,
    ...(partitions ?? ['PartitionName=main Nodes=ALL Default=YES State=UP OverSubscribe=NO']),
    '',
  ].join('\n');
}
