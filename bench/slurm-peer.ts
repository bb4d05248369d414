import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from '../test/support/server.js';
import { freePort } from '../test/support/services.js';

const exec = promisify(execFile);
const slots = 32;
const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch'];

/** Slurm, tuned for short jobs, with one node: this machine. */
export interface SlurmPeer {
  name: string;
  /** Submits a job that prints a word. @returns milliseconds until the word is in its output */
  firstLog(): Promise<number>;
  /** Submits jobs that do nothing, each by itself, and waits for the last. @returns jobs a second */
  trivialJobs(count: number): Promise<number>;
  stop(): Promise<void>;
}

/** @returns undefined where Slurm isn't installed, or this isn't root, whom its daemons need */
export async function startSlurm(): Promise<SlurmPeer | undefined> {
  const missing = programs.filter((name) => spawnSync('which', [name]).status !== 0);
  if (missing.length > 0 || process.getuid?.() !== 0) return undefined;
  const dir = mkdtempSync(path.join(tmpdir(), 'mycloud-slurm-'));
  const daemons: ChildProcess[] = [];
  const daemon = (program: string, args: string[]): void => {
    daemons.push(spawn(program, args, { env: { ...process.env, SLURM_CONF: conf }, stdio: 'ignore' }));
  };
  const conf = path.join(dir, 'slurm.conf');
  const env = { ...process.env, SLURM_CONF: conf };
  const stop = async (): Promise<void> => {
    for (const child of daemons.reverse()) {
      child.kill('SIGTERM');
      await eventually('Slurm ends', async () => child.exitCode !== null || child.signalCode !== null);
    }
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    writeFileSync(path.join(dir, 'key'), randomBytes(1024), { mode: 0o400 });
    mkdirSync(path.join(dir, 'state'));
    mkdirSync(path.join(dir, 'spool'));
    writeFileSync(conf, await configuration(dir));
    const at = (name: string): string => path.join(dir, name);
    daemon('munged', [
      ...['--foreground', '--force', '--num-threads=2', `--key-file=${at('key')}`, `--socket=${at('munge')}`],
      ...[`--pid-file=${at('munged.pid')}`, `--log-file=${at('munged.log')}`, `--seed-file=${at('seed')}`],
    ]);
    await eventually('munge listens', async () => existsSync(at('munge')));
    daemon('slurmctld', ['-D', '-i']);
    daemon('slurmd', ['-D', '-N', 'bench']);
    await eventually('the node is idle', async () => {
      const { stdout } = await exec('sinfo', ['-h', '-o', '%T'], { env }).catch(() => ({ stdout: '' }));
      return stdout.trim() === 'idle';
    });
  } catch (error) {
    await stop();
    throw error;
  }

  let submitted = 0;
  const submit = (command: string): Promise<string> => {
    const output = path.join(dir, `out-${submitted++}`);
    return exec('sbatch', ['-o', output, '--wrap', command], { env, cwd: dir }).then(() => output);
  };
  return {
    name: 'slurm',
    async firstLog() {
      const from = performance.now();
      const output = await submit('echo hello');
      while (!existsSync(output) || !readFileSync(output, 'utf8').includes('hello')) await sleep(2);
      return performance.now() - from;
    },
    async trivialJobs(count) {
      const from = performance.now();
      let left = count;
      const submitter = async (): Promise<void> => {
        while (left-- > 0) await submit('true');
      };
      await Promise.all([submitter(), submitter(), submitter(), submitter()]);
      await eventually(
        "Slurm's jobs end",
        async () => (await exec('squeue', ['-h'], { env })).stdout.trim() === '',
        300,
      );
      return count / ((performance.now() - from) / 1000);
    },
    stop,
  };
}

/** What its documentation advises for many short jobs ("High Throughput Computing Administration Guide"). */
async function configuration(dir: string): Promise<string> {
  return [
    'ClusterName=bench',
    `SlurmctldHost=${hostname()}(127.0.0.1)`,
    'AuthType=auth/munge',
    `AuthInfo=socket=${path.join(dir, 'munge')}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    `SlurmctldPort=${await freePort()}`,
    `SlurmdPort=${await freePort()}`,
    `StateSaveLocation=${path.join(dir, 'state')}`,
    `SlurmdSpoolDir=${path.join(dir, 'spool')}`,
    `SlurmctldPidFile=${path.join(dir, 'slurmctld.pid')}`,
    `SlurmdPidFile=${path.join(dir, 'slurmd.pid')}`,
    `SlurmctldLogFile=${path.join(dir, 'slurmctld.log')}`,
    `SlurmdLogFile=${path.join(dir, 'slurmd.log')}`,
    'SlurmctldDebug=error',
    'SlurmdDebug=error',
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'MpiDefault=none',
    'ReturnToService=2',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core',
    // More slots than cores: it looks for the next job once a second, and fills what is free then.
    'SlurmdParameters=config_overrides',
    'SchedulerParameters=batch_sched_delay=0,sched_interval=5',
    'MinJobAge=300',
    'KillWait=5',
    `NodeName=bench NodeHostname=${hostname()} NodeAddr=127.0.0.1 CPUs=${slots} State=UNKNOWN`,
    'PartitionName=main Nodes=ALL Default=YES State=UP OverSubscribe=NO',
    '',
  ].join('\n');
}
