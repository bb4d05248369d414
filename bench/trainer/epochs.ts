import { spawn } from 'node:child_process';
import { once } from 'node:events';

interface Program {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** What it prints (on stdout) at the end of its first step, and at the end of each epoch. */
  firstStep: RegExp;
  epochEnd: RegExp;
}

interface Run {
  /** Seconds from the command's start to the end of its first step. */
  firstStep: number;
  /** Seconds of each epoch; the first from the end of the first step. */
  epochs: number[];
}

/** Runs a training and looks at the clock when its output tells of a step or an epoch. @throws Error when it fails */
export async function timeEpochs({ command, args, env, firstStep, epochEnd }: Program): Promise<Run> {
  const begin = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const marks: number[] = [];
  let pending = '';
  child.stdout.on('data', (data: Buffer) => {
    pending += data.toString();
    // A progress bar's line has no end until it is drawn anew.
    if (marks.length === 0 && firstStep.test(pending)) marks.push((performance.now() - begin) / 1000);
    const pieces = pending.split(/[\r\n]/);
    pending = pieces.pop()!;
    for (const piece of pieces) {
      if (marks.length > 0 && epochEnd.test(piece)) marks.push((performance.now() - begin) / 1000);
    }
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0 || marks.length < 2) throw new Error(`${command} ${args.join(' ')} exited with ${code}`);
  return { firstStep: marks[0]!, epochs: marks.slice(1).map((mark, i) => mark - marks[i]!) };
}
