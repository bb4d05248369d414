import { Plus } from 'lucide-react';
import type { Fields } from './form-state.js';
import { TakeAway } from './take-away.js';

type Mounts = Fields['mounts'];

/** What is mounted where. A mount that stays as it was is the same bytes again. */
export function MountFields({ mounts, onChange }: { mounts: Mounts; onChange: (mounts: Mounts) => void }) {
  const change = (i: number, change: Partial<Mounts[number]>) =>
    onChange(mounts.map((mount, at) => (at === i ? { ...mount, ...change } : mount)));
  return (
    <fieldset className="field-wide">
      <legend>Mounts</legend>
      {mounts.map((mount, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name while they are typed
        <div key={i} className="field-row">
          <input
            aria-label={`Source ${i + 1}`}
            placeholder="dogsvscats/1, or OWNER/projects/NAME/JOB/output"
            value={mount.source}
            onChange={(event) => change(i, { source: event.target.value })}
          />
          <span className="dim">at /</span>
          <input
            className="short"
            aria-label={`Folder ${i + 1}`}
            value={mount.name}
            onChange={(event) => change(i, { name: event.target.value })}
          />
          <TakeAway what={`mount ${i + 1}`} onClick={() => onChange(mounts.filter((_, at) => at !== i))} />
        </div>
      ))}
      <button
        type="button"
        className="link"
        onClick={() => onChange([...mounts, { source: '', name: mounts.length === 0 ? 'input' : '' }])}
      >
        <Plus size={12} aria-hidden /> mount
      </button>
    </fieldset>
  );
}
