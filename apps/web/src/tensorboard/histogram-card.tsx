import type { Summaries } from '@mycloud/shared/browser';
import { useState } from 'react';
import { countText, valueText } from '../ui/format.js';
import { StepSlider } from './step-slider.js';

const width = 300;
const height = 120;

/** How the values of a step are spread; all steps have one scale, so that moving the slider shows what moves. */
export function HistogramCard({ series }: { series: Summaries['histograms'][number] }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const { run, tag, histograms } = series;
  const at = Math.min(chosen ?? histograms.length - 1, histograms.length - 1);
  const all = histograms.flatMap((one) => one.buckets);
  const min = all.reduce((least, [left]) => Math.min(least, left), Number.POSITIVE_INFINITY);
  const max = all.reduce((most, [, right]) => Math.max(most, right), Number.NEGATIVE_INFINITY);
  const span = max - min || 1;
  // Of a value alone the bucket has no width.
  const least = span / 200;
  const dense = ([left, right, count]: (typeof all)[number]) => count / Math.max(right - left, least);
  const top = all.reduce((most, bucket) => Math.max(most, dense(bucket)), 0) || 1;
  const buckets = histograms[at]?.buckets ?? [];
  const total = Math.round(buckets.reduce((sum, [, , count]) => sum + count, 0));
  const x = (value: number) => ((value - min) / span) * width;
  return (
    <figure className="summary-card">
      <figcaption>
        <h3>{tag}</h3>
        <span className="dim">{run || '/output'}</span>
      </figcaption>
      <svg
        className="histogram"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${tag}: ${countText(total, 'value')} from ${valueText(min)} to ${valueText(max)}`}
      >
        {buckets.map((bucket) => {
          const high = (dense(bucket) / top) * height;
          const [left, right] = bucket;
          return (
            <rect
              key={left}
              x={x(left)}
              y={height - high}
              width={Math.max(1, x(right) - x(left))}
              height={high}
            />
          );
        })}
      </svg>
      <p className="histogram-ends dim number">
        <span>{valueText(min)}</span>
        <span>{countText(total, 'value')}</span>
        <span>{valueText(max)}</span>
      </p>
      <StepSlider steps={histograms} at={at} onChange={setChosen} />
    </figure>
  );
}
