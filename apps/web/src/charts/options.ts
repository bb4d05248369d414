import type uPlot from 'uplot';
import { durationText } from '../ui/format.js';
import type { Zoom } from './chart.js';
import { lineLook } from './line-look.js';
import type { Axis } from './settings.js';
import { columnsPerLine } from './table.js';

export interface Scale {
  axis: Axis;
  log: boolean;
  /** Zero of the elapsed axis, milliseconds since 1970. */
  start: number;
}

/** What the x of the canvas is counted from: the start of the job on the elapsed axis. */
export const zeroOf = ({ axis, start }: Scale): number => (axis === 'elapsed' ? start : 0);

interface Asked {
  names: string[];
  /** Which line each is, for its look. */
  looks: number[];
  scale: Scale;
  smoothed: boolean;
  width: number;
  height: number;
  zoomed: (zoom: Zoom) => void;
  hovered: (x: number | null) => void;
}

/** Colours are the styles': a canvas can't read them by itself. */
const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function plotOptions({
  names,
  looks,
  scale,
  smoothed,
  width,
  height,
  zoomed,
  hovered,
}: Asked): uPlot.Options {
  const zero = zeroOf(scale);
  const xAt = ({ cursor, data }: uPlot) => {
    const x = cursor.idx == null ? undefined : data[0][cursor.idx];
    return x === undefined ? null : zero + x;
  };
  const grid = { stroke: colour('--grid'), width: 1 };
  const text = {
    stroke: colour('--text-dim'),
    font: '11px system-ui, sans-serif',
    grid,
    ticks: { show: false },
  };
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  names.forEach((label, i) => {
    const { colour: name, dash } = lineLook(looks[i] ?? i);
    const stroke = colour(name);
    const first = series.length;
    // Of a bucket the edges are drawn too: a spike of one point is a line, not a shade.
    const edge = { stroke: `${stroke}59`, width: 1, points: { show: false }, spanGaps: true };
    const points = { show: (_: uPlot, __: number, from: number, to: number) => to - from < 40, size: 5 };
    series.push(
      {
        label,
        stroke: smoothed ? `${stroke}55` : stroke,
        width: smoothed ? 1 : 2,
        dash,
        spanGaps: true,
        points: smoothed ? { show: false } : points,
      },
      edge,
      edge,
      {
        label: `${label}, smoothed`,
        show: smoothed,
        stroke,
        width: 2,
        dash,
        spanGaps: true,
        points,
      },
    );
    bands.push({ series: [first + 2, first + 1], fill: `${stroke}26` });
  });
  if (series.length !== 1 + names.length * columnsPerLine)
    throw new Error('a line has other columns than its table');
  return {
    width,
    height,
    series,
    bands,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: {
      sync: { key: `mycloud-${scale.axis === 'step' ? 'step' : 'time'}` },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
    },
    scales: {
      x: { time: false },
      y: { distr: scale.log ? 3 : 1, range: scale.log ? undefined : yRange },
    },
    axes: [
      {
        ...text,
        size: 28,
        space: 64,
        values: (_, ticks) => ticks.map((tick) => xText(tick, scale)),
        incrs: scale.axis === 'step' ? wholeSteps : wholeTimes,
      },
      {
        ...text,
        size: 56,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : shortText(tick))),
      },
    ],
    hooks: {
      setCursor: [(u) => hovered(xAt(u))],
      setSelect: [
        (u) => {
          const { left, width: wide } = u.select;
          if (wide < 4) return;
          zoomed({ from: zero + u.posToVal(left, 'x'), to: zero + u.posToVal(left + wide, 'x') });
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** There is no half step. */
const wholeSteps = [1, 2, 5]
  .flatMap((n) => Array.from({ length: 12 }, (_, power) => n * 10 ** power))
  .sort((a, b) => a - b);

/** Milliseconds: of seconds, minutes, hours and days what a clock shows evenly. */
const wholeTimes = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 1000),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 60_000),
  ...[1, 2, 3, 6, 12].map((n) => n * 3_600_000),
  ...[1, 2, 7, 14, 28, 56, 112].map((n) => n * 86_400_000),
];

/** A little room above and below; a line that never moves gets some too. */
function yRange(_: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  // What is never below nothing, such as a loss, isn't drawn as if it could be.
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function xText(x: number, { axis }: Scale): string {
  if (axis === 'step') return Number.isInteger(x) ? x.toLocaleString('en') : '';
  if (axis === 'elapsed') return durationText(x);
  return new Date(x).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

const big = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e4, 'k'],
] as const;

function shortText(value: number): string {
  for (const [size, letter] of big) {
    if (Math.abs(value) >= size)
      return `${Number((value / (letter === 'k' ? 1e3 : size)).toPrecision(3))}${letter}`;
  }
  return value === 0
    ? '0'
    : Math.abs(value) < 1e-3
      ? value.toExponential(1)
      : String(Number(value.toPrecision(4)));
}
