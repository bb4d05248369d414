import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../test/support/server.js';
import { startSlurm, wantSlurm } from '../test/support/slurm.js';

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
export async function startSlurmPeer(): Promise<SlurmPeer | undefined> {
  if (!wantSlurm()) return undefined;
  // Tracking by /proc alone, and cores alone counted: less for it to do.
  const slurm = await startSlurm({ slots: 32, lines: ['SelectTypeParameters=CR_Core'] });
  let submitted = 0;
  const submit = async (command: string): Promise<string> => {
    const output = path.join(slurm.dir, `out-${submitted++}`);
    await slurm.run('sbatch', '-o', output, '--wrap', command);
    return output;
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
      await eventually("Slurm's jobs end", async () => (await slurm.run('squeue', '-h')).trim() === '', 300);
      return count / ((performance.now() - from) / 1000);
    },
    stop: slurm.stop,
  };
}
