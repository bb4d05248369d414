import type { StepResult } from './engine.js';

/** Rows `from` … `to` − 1 of a batch. */
export interface Share {
  from: number;
  to: number;
}

/** A batch of `n` rows cut into `parts`, as even as can be; some are empty where there are fewer rows than parts. */
export function shares(n: number, parts: number): Share[] {
  return Array.from({ length: parts }, (_, i) => ({
    from: Math.floor((i * n) / parts),
    to: Math.floor(((i + 1) * n) / parts),
  }));
}

/** The results of a batch's shares as the batch's. */
export function together(parts: readonly StepResult[]): StepResult {
  const sum = (of: (part: StepResult) => number) => parts.reduce((total, part) => total + of(part), 0);
  const n = sum((part) => part.n);
  return { loss: sum((part) => part.loss * part.n) / n, correct: sum((part) => part.correct), n };
}

/** One array after the other. */
export function inARow(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
