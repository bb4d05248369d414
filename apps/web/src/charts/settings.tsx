import { useSearchParams } from 'react-router';
import { useSetInAddress } from '../ui/address.js';

export type Axis = 'step' | 'elapsed' | 'clock';
const axes: [Axis, string][] = [
  ['step', 'Step'],
  ['elapsed', 'Elapsed'],
  ['clock', 'Clock'],
];

export interface ChartSettings {
  axis: Axis;
  log: boolean;
  /** 0 to 0.99 */
  smoothing: number;
}

/** How charts are drawn; it stands in the address, so that a link shows the same. */
export function useChartSettings() {
  const [search] = useSearchParams();
  const axis = axes.find(([name]) => name === search.get('axis'))?.[0] ?? 'step';
  const smoothing = Math.min(0.99, Math.max(0, Number(search.get('smooth')) || 0));
  const settings: ChartSettings = { axis, log: search.get('log') === '1', smoothing };
  const set = useSetInAddress<'axis' | 'log' | 'smooth'>();
  return { settings, set };
}

interface Props {
  settings: ChartSettings;
  set: ReturnType<typeof useChartSettings>['set'];
  zoomed: boolean;
  resetZoom: () => void;
}

export function SettingsBar({ settings, set, zoomed, resetZoom }: Props) {
  return (
    <fieldset className="chart-settings">
      <legend className="sr-only">How charts are drawn</legend>
      <div className="segments" role="radiogroup" aria-label="Axis">
        {axes.map(([name, word]) => (
          <label key={name}>
            <input
              type="radio"
              name="axis"
              checked={settings.axis === name}
              onChange={() => set('axis', name === 'step' ? '' : name)}
            />
            <span>{word}</span>
          </label>
        ))}
      </div>
      <label className="check">
        <input
          type="checkbox"
          checked={settings.log}
          onChange={(event) => set('log', event.target.checked ? '1' : '')}
        />
        Log scale
      </label>
      <label className="slider">
        Smoothing
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={settings.smoothing}
          onChange={(event) => set('smooth', Number(event.target.value) ? event.target.value : '')}
        />
        <output>{settings.smoothing.toFixed(2)}</output>
      </label>
      {zoomed && (
        <button type="button" className="button" onClick={resetZoom}>
          Reset zoom
        </button>
      )}
    </fieldset>
  );
}
