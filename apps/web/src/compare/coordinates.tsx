import { betterWay } from '@mycloud/shared/browser';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { useSetInAddress } from '../ui/address.js';
import { type Axis, axisOf, inRange, numberAxis, type Range } from './axes.js';
import { CoordinateAxis } from './coordinate-axis.js';
import { differs, type Row } from './rows.js';
import type { Compared } from './use-compared.js';

interface Props {
  compared: Compared[];
  rows: Row[];
  /** Told the jobs that are filtered away. */
  onLeave: (names: ReadonlySet<string>) => void;
}

const height = 250;
const top = 34;
const side = 70;
const apart = 130;
/** Where jobs without a value pass an axis: below it. */
const nowhere = -0.09;

/** What was asked for in which the jobs differ, an axis each, and what came of it as the last axis and the colour. */
export function Coordinates({ compared, rows, onLeave }: Props) {
  const [search] = useSearchParams();
  const set = useSetInAddress();
  const results = rows.filter((row) => row.section === 'Metrics' && row.cells.some(Boolean));
  const result = results.find((row) => row.title === search.get('by')) ?? results.find(isBest) ?? results[0];
  const asked = rows.filter(isAsked).filter(differs);
  const axes = layOut(asked, result);
  const [ranges, setRanges] = useState<Record<string, Range>>({});
  const kept = compared.map((_, i) => axes.every((axis) => inRange(axis.places[i], ranges[axis.title])));
  const left = compared.flatMap(({ job }, i) => (kept[i] ? [] : job.name)).join('\n');
  useEffect(() => onLeave(new Set(left ? left.split('\n') : [])), [left, onLeave]);

  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 800));
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const wide = Math.max(width, 2 * side + apart * (axes.length - 1));
  const x = (i: number) => (axes.length < 2 ? wide / 2 : side + (i * (wide - 2 * side)) / (axes.length - 1));
  const y = (at: number) => top + (1 - at) * height;
  const filtered = axes.some((axis) => ranges[axis.title]);
  const colours = axes.at(-1)?.places ?? [];

  return (
    <section aria-labelledby="coordinates">
      <div className="section-head">
        <h2 id="coordinates">What was set, and what came of it</h2>
        {results.length > 0 && (
          <label>
            <span className="dim">by</span>{' '}
            <select value={result?.title} onChange={(event) => set('by', event.target.value)}>
              {results.map(({ title }) => (
                <option key={title}>{title}</option>
              ))}
            </select>
          </label>
        )}
        {filtered && (
          <button type="button" className="button" onClick={() => setRanges({})}>
            Show all {compared.length}
          </button>
        )}
        <span className="dim small" role="status">
          {filtered
            ? `${kept.filter(Boolean).length} of ${compared.length} jobs`
            : 'Drag along an axis to choose among the jobs.'}
        </span>
      </div>
      {asked.length === 0 || !result ? (
        <p className="dim">
          {result ? 'These jobs were all asked for alike.' : 'None of these jobs has printed a metric.'}
        </p>
      ) : (
        <div className="coordinates" ref={place}>
          <svg width={wide} height={top + height + 44} role="group" aria-label="Parallel coordinates">
            {compared.map(({ job, word }, i) => (
              <path
                key={job.name}
                className="coordinate-line"
                data-job={job.name}
                data-left={!kept[i] || undefined}
                d={axes
                  .map((axis, a) => `${a === 0 ? 'M' : 'L'}${x(a)},${y(axis.places[i] ?? nowhere)}`)
                  .join(' ')}
                stroke={shade(colours[i])}
              >
                <title>{`${word}: ${axes.map(({ title }, a) => `${title} ${wordAt(a, i)}`).join(', ')}`}</title>
              </path>
            ))}
            {axes.map((axis, a) => (
              <CoordinateAxis
                key={axis.title}
                axis={axis}
                x={x(a)}
                y={y}
                height={height}
                missing={axis.places.includes(undefined) ? y(nowhere) : undefined}
                range={ranges[axis.title]}
                onRange={(range) => setRanges((old) => withRange(old, axis.title, range))}
              />
            ))}
          </svg>
        </div>
      )}
    </section>
  );

  function wordAt(axis: number, i: number): string {
    const row = axis === axes.length - 1 ? result : asked[axis];
    return row?.cells[i]?.text ?? '–';
  }
}

const isBest = ({ title }: Row): boolean => betterWay(title) === 'high' && title.endsWith('highest');

/** What a person chose when the job was made, apart from words about it. */
const isAsked = ({ section, title }: Row): boolean =>
  ['Command', 'Inputs', 'Settings'].includes(section) && !['description', 'note', 'tags'].includes(title);

function layOut(asked: Row[], result: Row | undefined): Axis[] {
  const axes = asked.map(({ title, cells }) =>
    axisOf(
      title,
      cells.map((cell) => cell?.text),
    ),
  );
  if (result)
    axes.push(
      numberAxis(
        result.title,
        result.cells.map((cell) => cell?.value),
      ),
    );
  return axes;
}

function withRange(ranges: Record<string, Range>, title: string, range: Range | undefined) {
  const { [title]: _, ...others } = ranges;
  return range ? { ...others, [title]: range } : others;
}

/** From one colour to another, told apart in both themes and by the colour-blind; grey where there is no value. */
const shade = (at: number | undefined): string =>
  at === undefined
    ? 'var(--line-strong)'
    : `color-mix(in oklab, var(--line-0) ${Math.round(at * 100)}%, var(--line-1))`;
