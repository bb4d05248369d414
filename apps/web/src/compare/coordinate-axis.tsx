import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import type { Axis, Range } from './axes.js';

interface Props {
  axis: Axis;
  x: number;
  y: (place: number) => number;
  height: number;
  /** Where jobs without a value pass, if there are any. */
  missing?: number;
  range?: Range;
  onRange: (range: Range | undefined) => void;
}

const half = 14;
const longest = 18;
const clamp = (place: number): number => Math.min(1, Math.max(0, place));
const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);

/** One axis. Dragging along it chooses a part; its two ends are moved by the arrow keys too; a click takes the choice away. */
export function CoordinateAxis({ axis, x, y, height, missing, range, onRange }: Props) {
  const began = useRef<number>(undefined);
  const [low, high] = range ?? [0, 1];
  const at = (event: PointerEvent<SVGRectElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return clamp(1 - (event.clientY - box.top) / box.height);
  };
  const drag = (event: PointerEvent<SVGRectElement>) => {
    if (began.current === undefined) return;
    const now = at(event);
    const moved = Math.abs(now - began.current) * height;
    onRange(moved < 4 ? undefined : [Math.min(began.current, now), Math.max(began.current, now)]);
  };
  const key = (end: 0 | 1) => (event: KeyboardEvent) => {
    const step = { ArrowUp: 0.05, ArrowRight: 0.05, ArrowDown: -0.05, ArrowLeft: -0.05, Home: -1, End: 1 }[
      event.key
    ];
    if (event.key === 'Escape') onRange(undefined);
    if (step === undefined) return;
    event.preventDefault();
    const moved = clamp((end === 0 ? low : high) + step);
    const next: Range = end === 0 ? [Math.min(moved, high), high] : [low, Math.max(moved, low)];
    onRange(next[0] === 0 && next[1] === 1 ? undefined : next);
  };
  return (
    <g className="coordinate-axis" data-axis={axis.title}>
      <text className="coordinate-title" x={x} y={16} textAnchor="middle">
        {cut(axis.title)}
        <title>{axis.title}</title>
      </text>
      <line x1={x} x2={x} y1={y(0)} y2={y(1)} />
      {axis.ticks.map((tick) => (
        <text key={tick.at} x={x + 7} y={y(tick.at) + 4}>
          {cut(tick.text)}
          <title>{tick.text}</title>
        </text>
      ))}
      {missing !== undefined && (
        <text className="coordinate-missing" x={x + 7} y={missing + 4}>
          none
        </text>
      )}
      {range && (
        <rect className="coordinate-range" x={x - 5} width={10} y={y(high)} height={y(low) - y(high)} />
      )}
      <rect
        className="coordinate-brush"
        x={x - half}
        width={2 * half}
        y={y(1)}
        height={height}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          began.current = at(event);
        }}
        onPointerMove={drag}
        onPointerUp={(event) => {
          drag(event);
          began.current = undefined;
        }}
      />
      {([0, 1] as const).map((end) => (
        <rect
          key={end}
          className="coordinate-end"
          x={x - 7}
          y={y(end === 0 ? low : high) - (end === 0 ? 0 : 5)}
          width={14}
          height={5}
          rx={2}
          tabIndex={0}
          role="slider"
          aria-orientation="vertical"
          aria-label={`${axis.title}, ${end === 0 ? 'from' : 'to'}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round((end === 0 ? low : high) * 100)}
          aria-valuetext={axis.textAt(end === 0 ? low : high)}
          onKeyDown={key(end)}
        />
      ))}
    </g>
  );
}
