import type { SeriesPoint } from '@mycloud/shared/browser';
import { useEffect, useEffectEvent, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useTheme } from '../ui/theme.js';
import type { Zoom } from './chart.js';
import { plotOptions, type Scale, zeroOf } from './options.js';
import type { ChartSettings } from './settings.js';
import { tableOf } from './table.js';

interface Props {
  lines: SeriesPoint[][];
  names: string[];
  looks: number[];
  settings: ChartSettings;
  start: number;
  zoom?: Zoom;
  onZoom: (zoom: Zoom | undefined) => void;
  onHover: (x: number | null) => void;
  label: string;
}

/** The canvas. It is made anew when how it looks changes, and given new data otherwise. */
export function Plot({ lines, names, looks, settings, start, zoom, onZoom, onHover, label }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const { shown: theme } = useTheme();
  const { axis, log, smoothing } = settings;
  const scale: Scale = { axis, log, start };
  const table = tableOf(lines, axis === 'step' ? 'step' : 'time', smoothing, log, zeroOf(scale));
  const latest = useRef(table);
  latest.current = table;
  const look = `${looks.join()} ${axis} ${log} ${smoothing > 0} ${theme} ${start}`;

  const zoomed = useEffectEvent((range: Zoom | undefined) => onZoom(range));
  const hovered = useEffectEvent((x: number | null) => onHover(x));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `look` stands for all that the options depend on
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const width = element.clientWidth;
    const options = plotOptions({
      names,
      looks,
      scale,
      smoothed: smoothing > 0,
      width,
      height: element.clientHeight,
      zoomed,
      hovered,
    });
    const made = new uPlot(options, latest.current, element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    const reset = () => zoomed(undefined);
    element.addEventListener('dblclick', reset);
    return () => {
      observer.disconnect();
      element.removeEventListener('dblclick', reset);
      made.destroy();
      plot.current = null;
    };
  }, [look]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the table follows from these
  useEffect(() => {
    plot.current?.setData(table);
    if (zoom) plot.current?.setScale('x', { min: zoom.from - zeroOf(scale), max: zoom.to - zeroOf(scale) });
  }, [lines, smoothing, zoom, look]);

  return <div className="plot" ref={place} role="img" aria-label={label} />;
}
