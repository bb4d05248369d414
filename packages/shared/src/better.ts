/** Which way a metric is better, by what its name says; undefined where it says nothing. */
export function betterWay(metric: string): 'low' | 'high' | undefined {
  const name = metric.toLowerCase();
  if (/loss|err|mse|mae|rmse|perplexity|ppl|(^|[_/])(wer|cer|fid)\b/.test(name)) return 'low';
  if (/acc|auc|f1|precision|recall|iou|dice|score|bleu|rouge|(^|[_/])map\b|r2/.test(name)) return 'high';
  return undefined;
}

/** Where the best of some values stand; none where only one has any, or all are as good. */
export function bestOf(values: readonly (number | undefined)[], way: 'low' | 'high'): number[] {
  const known = values.filter((value) => value !== undefined);
  if (known.length < 2) return [];
  const best = way === 'low' ? Math.min(...known) : Math.max(...known);
  if (known.every((value) => value === best)) return [];
  return values.flatMap((value, i) => (value === best ? [i] : []));
}
