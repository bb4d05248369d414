import type { Usage } from '../runners/runner.js';

/** The kernel's, on every platform Slurm runs on with Linux. */
const ticksPerSecond = 100;
const pageBytes = 4096;

/** Of lines `PID STARTTIME CPUTICKS RSSPAGES`. */
export function parseUsage(text: string | null): Usage {
  const rows = (text ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '));
  return {
    cpuSeconds: new Map(
      rows.map(([pid, started, ticks]) => [`${pid} ${started}`, Number(ticks) / ticksPerSecond]),
    ),
    memoryBytes: rows.reduce((sum, [, , , pages]) => sum + Number(pages) * pageBytes, 0),
  };
}
