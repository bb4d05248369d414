import type { MetricPoint } from '@mycloud/shared';

/** Floyd's metric lines: `{"metric": "acc", "value": 0.9, "epoch": 3}` alone on a line. Null for any other line. */
export function parseMetricLine(text: string, time: number): MetricPoint | null {
  // Cheap before exact: a job prints 50,000 lines a second.
  if (!text.includes('"metric"')) return null;
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || trimmed.length > 2000) return null;
  let found: unknown;
  try {
    found = JSON.parse(trimmed);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const { metric, value, epoch, step } = found as Record<string, unknown>;
  if (typeof metric !== 'string' || metric === '' || metric.length > 200) return null;
  if (typeof value !== 'number' && value !== null) return null;
  const at = epoch ?? step;
  return { name: metric, step: Number.isSafeInteger(at) ? (at as number) : null, value, time };
}
