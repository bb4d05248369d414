import { readFile } from 'node:fs/promises';
import { TrainerError } from '../errors.js';

/** What Linux tells of the CPU; empty on another system. */
export const cpuInfo = (): Promise<string> =>
  readFile('/proc/cpuinfo', 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });

/** Why convolutions can't be computed in bfloat16; undefined where the CPU has instructions for it. */
export function bfloat16Refusal(cpuinfo: string): TrainerError | undefined {
  if (/^flags\s*:.*\bavx512_bf16\b/m.test(cpuinfo)) return undefined;
  return new TrainerError(
    'backend_unavailable',
    'This CPU has no avx512_bf16, so bf16 would be slower than f32',
    {
      hint: 'Train without --precision bf16.',
    },
  );
}
