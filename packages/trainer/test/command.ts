import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const bin = fileURLToPath(new URL('../bin/train.mjs', import.meta.url));

/** Starts `train` as a job would, on these folders. */
export function startTrain(args: string[], env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [bin, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, code, out: text(child.stdout!), err: text(child.stderr!) };
}

/** The same, to its end. */
export async function runTrain(args: string[], env: Record<string, string>) {
  const { code, out, err } = startTrain(args, env);
  return { code: await code, out: await out, err: await err };
}

/** The JSON lines of metrics among what was printed. */
export const metrics = (out: string) =>
  out
    .split(/[\r\n]/)
    .filter((line) => line.startsWith('{"metric"'))
    .map((line) => JSON.parse(line) as { metric: string; value: number; epoch: number });

/** `count` pictures of one colour and noise. */
export async function drawColour(
  dir: string,
  count: number,
  background: { r: number; g: number; b: number },
) {
  await mkdir(dir, { recursive: true });
  for (let i = 0; i < count; i++) {
    const noise = { type: 'gaussian', mean: 20 + i, sigma: 10 } as const;
    await sharp({ create: { width: 30, height: 30, channels: 3, background, noise } })
      .composite([{ input: { create: { width: 30, height: 20, channels: 3, background } } }])
      .png()
      .toFile(path.join(dir, `${i}.png`));
  }
}
