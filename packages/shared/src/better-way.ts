/** Which way a metric is better, by what its name says; undefined where it says nothing. */
export function betterWay(metric: string): 'low' | 'high' | undefined {
  const name = metric.toLowerCase();
  if (/loss|err|mse|mae|rmse|perplexity|ppl|(^|[_/])(wer|cer|fid)\b/.test(name)) return 'low';
  if (/acc|auc|f1|precision|recall|iou|dice|score|bleu|rouge|(^|[_/])map\b|r2/.test(name)) return 'high';
  return undefined;
}
