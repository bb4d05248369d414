import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How either trainer tells of an epoch's end on its output. */
const told = [/"metric":"val_acc","value":([\d.]+)/, /val_accuracy: ([\d.]+)/];

/** Runs a training; its validation accuracy after each epoch, and how long it all took. @throws Error when it fails */
export async function accuracies({
  command,
  args,
  env,
}: {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}): Promise<{ values: number[]; seconds: number }> {
  const begin = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const values: number[] = [];
  let pending = '';
  child.stdout.on('data', (data: Buffer) => {
    const lines = (pending + data.toString()).split(/[\r\n]/);
    pending = lines.pop()!;
    for (const line of lines) {
      const [, value] = told.map((pattern) => pattern.exec(line)).find((match) => match) ?? [];
      if (value) values.push(Number(value));
    }
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0 || values.length === 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}`);
  return { values, seconds: (performance.now() - begin) / 1000 };
}
