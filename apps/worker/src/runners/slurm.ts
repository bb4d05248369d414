import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type Machine } from '@mycloud/shared';
import type { Logger } from 'pino';
import { EnvironmentError } from '../environments/environment.js';
import { parseGpus } from '../gpus/nvidia-smi.js';
import { cellMemory } from '../limits/cgroup-cell.js';
import type { Enforced } from '../limits/limits.js';
import { SlurmAway, type SlurmCommands, slurmCommands } from '../slurm/commands.js';
import { readBegan, readRunFile } from '../slurm/files.js';
import { Partitions, type SlurmOffer } from '../slurm/partitions.js';
import { standingOf } from '../slurm/queue.js';
import { batchScript, type Isolation, jobScript } from '../slurm/script.js';
import { awaitTurn, type Queue } from '../slurm/turn.js';
import { parseUsage } from '../slurm/usage.js';
import { verdictOf, wordsOf } from '../slurm/verdict.js';
import { SlurmWatch } from '../slurm/watch.js';
import type { Walls } from './bubblewrap.js';
import { bubblewrapWorks } from './bubblewrap.js';
import { linkFolders } from './process.js';
import { ownPaths, plainPaths, type Runner } from './runner.js';
import { readExitCode } from './supervisor.js';

/** A SIGKILL that the batch script doesn't carry out, Slurm carries out. */
const killByScriptMs = 3000;
const verdictWithinMs = 10_000;
const lookMs = 300;
/** After the files of a job have said that it runs, Slurm's books are believed no sooner that it waits. */
const settleMs = 2000;
/** One whose script has written the exit code is about to end, and isn't put down as cancelled. */
const endsByItselfMs = 20_000;

export interface SlurmOptions {
  home: string;
  /** machine → partitions of Slurm, as sbatch takes them; empty: found by sinfo. */
  partitions: ReadonlyMap<string, string>;
  /** Further options of every sbatch. */
  args: readonly string[];
  isolation: 'auto' | Isolation;
  /** Of bubblewrap on the nodes. */
  walls: Walls;
  pollSeconds: number;
  /** How long a file that a node has written may take until it is seen here. */
  fileSeconds: number;
  /** PATH and SLURM_CONF. */
  env: Record<string, string>;
  log: Logger;
}

export interface SlurmRunner extends Runner {
  /** Looks what is here. */
  open(): Promise<void>;
  /** The partitions of each machine. @throws as Partitions.look */
  offer(catalogue: () => Promise<Machine[]>): Promise<SlurmOffer>;
  /** Cancels jobs of this worker's home whose executions aren't named. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** The job is one of Slurm's: its partitions are the machines, its nodes see the attempt's folder, and files say how it goes. */
export function slurmRunner(options: SlurmOptions): SlurmRunner {
  const { home, log } = options;
  const commands: SlurmCommands = slurmCommands(options.env);
  const watch = new SlurmWatch(commands, options.pollSeconds, log);
  const partitions = new Partitions(commands, options.partitions, path.join(home, 'slurm.json'), log);
  const comment = `mycloud:${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
  const enforced: Enforced = { memory: false, cpu: false, processes: false };
  let isolation: Isolation = options.isolation === 'bubblewrap' ? 'bubblewrap' : 'process';
  /** As of the start. */
  let away = false;
  const killedAt = new Map<string, number>();
  const ranAt = new Map<string, number>();

  const queue: Queue = {
    commands,
    watch,
    nameOf: (marker) => `mycloud-${marker}`,
    submit: (marker, runDir) => {
      const output = path.join(runDir, 'slurm.out').replaceAll('%', '%%');
      const own = [...options.args, `--chdir=${runDir}`, `--output=${output}`, '--input=/dev/null'];
      return commands.submit(path.join(runDir, 'batch'), own, marker);
    },
  };

  /** Over, and what its script wrote would be seen here by now. */
  const isOver = (id: string): boolean => {
    const seen = watch.of(id);
    const overFor = watch.overForMs(id);
    if (overFor === null) return false;
    const wrote = seen !== 'unknown' && /^(COMPLETED|FAILED)$/.test(seen?.state ?? '');
    return !wrote || overFor > options.fileSeconds * 1000;
  };

  /** It has begun, as its files said, and waits nevertheless. */
  const tookBack = (id: string): boolean =>
    watch.waitsSince(id, (ranAt.get(id) ?? Number.POSITIVE_INFINITY) + settleMs);

  const runner: SlurmRunner = {
    name: 'slurm',
    get mountsReadOnly() {
      return isolation === 'bubblewrap';
    },
    limits: { kind: 'slurm', enforced },
    async open() {
      if (options.isolation === 'auto' && (await bubblewrapWorks())) isolation = 'bubblewrap';
      const text = await commands.configuration().catch((error: unknown) => {
        if (!(error instanceof SlurmAway)) throw error;
        away = true;
        log.warn({ err: error }, 'Slurm does not answer; what it limits is not known');
        return '';
      });
      const yes = (name: string): boolean => new RegExp(`^${name}\\s*= *yes`, 'im').test(text);
      enforced.memory = yes('ConstrainRAMSpace');
      enforced.cpu = yes('ConstrainCores');
    },
    // Each question to a controller that is away takes ten seconds, in which running jobs wait to be adopted.
    offer: async (catalogue) => (away && partitions.known) || partitions.look(catalogue),
    paths: (dirs) => (isolation === 'bubblewrap' ? ownPaths(dirs) : plainPaths(dirs)),
    async start(launch) {
      const { dirs, machine, marker } = launch;
      if (isolation === 'process') linkFolders(dirs);
      const write = (name: string, text: string, mode: number): Promise<void> =>
        writeFile(path.join(dirs.run, name), text, { mode });
      await write('job', jobScript(launch, isolation, options.walls), 0o600);
      const batch = batchScript({
        name: queue.nameOf(marker),
        comment,
        partition: partitions.of(machine.name),
        cores: machine.cores,
        memoryBytes: machine.memoryBytes,
        gpus: machine.gpus,
        seconds: launch.maxRuntimeSeconds,
        marker,
        runDir: dirs.run,
        isolation,
      });
      await write('batch', batch, 0o700);
      // Filled beforehand, so that a full disk still takes the exit code.
      await write('exit.tmp', ' '.repeat(16), 0o600);
      await (await open(path.join(dirs.run, 'log'), 'a')).close();
      return { pid: 0, startTime: '', marker, cell: [] };
    },
    awaitTurn: (asked) => awaitTurn(queue, asked),
    async isAlive(job) {
      if (!job.slurm) return true;
      const id = job.slurm;
      if (!ranAt.has(id)) ranAt.set(id, Date.now());
      return !isOver(id) && !tookBack(id);
    },
    exitCode: (_, runDir) => readExitCode(runDir),
    async verdict(job, runDir, exitCode) {
      if (!job.slurm) return { end: null, words: [] };
      // What a node was told to do stands in Slurm's books a moment after the command has ended.
      const asks = exitCode === null || exitCode > 128 || (await readRunFile(runDir, 'told')) !== null;
      const began = Date.now();
      while (asks && exitCode !== 0 && watch.overForMs(job.slurm) === null) {
        await watch.look();
        if (watch.waitsSince(job.slurm, began) || watch.awaySince !== null) break;
        if (Date.now() > began + verdictWithinMs) break;
        await sleep(lookMs);
      }
      return {
        end: await verdictOf(watch.of(job.slurm), runDir, exitCode),
        words: await wordsOf(runDir),
      };
    },
    gpuReadings: async (runDir) => parseGpus((await readRunFile(runDir, 'gpus')) ?? ''),
    usage: async (_, runDir) => parseUsage(await readRunFile(runDir, 'usage')),
    async signal(job, runDir, signal) {
      const id = job.slurm;
      if (!id || (await readExitCode(runDir)) !== null || watch.overForMs(id) !== null) return 0;
      if (signal !== 'SIGKILL') {
        await commands.cancel(
          id,
          (await readBegan(runDir)) ? ['--batch', `--signal=${signal.slice(3)}`] : [],
        );
        return 1;
      }
      const first = killedAt.get(id);
      if (first === undefined && (await readBegan(runDir))) {
        killedAt.set(id, Date.now());
        await commands.cancel(id, ['--batch', '--signal=USR1']);
      } else if (first === undefined || Date.now() - first > killByScriptMs) {
        killedAt.set(id, Date.now());
        await commands.cancel(id);
      }
      return 1;
    },
    async exec() {
      throw new AppError('unavailable', 'commands inside a job are not to be had where Slurm runs it', {
        hint: "On the cluster itself, srun --overlap --jobid=ID --pty bash does it; its log has the job's ID.",
      });
    },
    async choosePort() {
      throw new EnvironmentError(
        'a web server in a job of Slurm can not be reached from outside; run it on a worker of another runner',
      );
    },
    async reachPort() {
      throw new AppError('unavailable', 'nothing in a job of Slurm can be reached from outside');
    },
    memory: async (_, runDir) => cellMemory([runDir]),
    async clear(job) {
      if (!job.slurm) return;
      killedAt.delete(job.slurm);
      // One that was requeued would not end by itself.
      if (watch.overForMs(job.slurm) === null)
        watch.doom(job.slurm, tookBack(job.slurm) ? 0 : endsByItselfMs);
      ranAt.delete(job.slurm);
    },
    async sweep(keep) {
      try {
        if (away) throw new SlurmAway('it gave no answer a moment ago');
        for (const { id, name, state, comment: whose } of await commands.jobs()) {
          const left = whose === comment && !keep.has(name.replace(/^mycloud-/, ''));
          if (left && standingOf(state) !== 'over') await commands.cancel(id);
        }
      } catch (error) {
        if (!(error instanceof SlurmAway)) throw error;
        log.warn(
          { err: error },
          'Slurm does not answer; what an earlier worker left there stays until the next start',
        );
      }
    },
  };
  return runner;
}
