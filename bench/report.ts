/** Prints one figure as a JSON line; with a peer's figure of the same run, the ratio too. */
export function figure(
  bench: string,
  name: string,
  value: number,
  unit: string,
  peer?: { name: string; value: number } | { missing: string },
): void {
  const round = (x: number) => Number(x.toPrecision(4));
  const line: Record<string, unknown> = { bench, name, value: round(value), unit };
  if (peer && 'missing' in peer) line.peer = `${peer.missing}: not measured here`;
  else if (peer)
    Object.assign(line, { peer: peer.name, peerValue: round(peer.value), ratio: round(value / peer.value) });
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The q-th quantile (0–1) by the nearest rank. */
export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

export const median = (values: number[]): number => quantile(values, 0.5);

const calls = 100;

/** The 95th percentile of the times of a hundred calls, one after the other. @returns milliseconds */
export async function p95(call: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    const from = performance.now();
    await call(i);
    times.push(performance.now() - from);
  }
  return quantile(times, 0.95);
}
