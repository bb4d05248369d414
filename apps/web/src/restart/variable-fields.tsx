import type { Job } from '@mycloud/shared/browser';
import { Plus } from 'lucide-react';
import type { Fields } from './form-state.js';
import { TakeAway } from './take-away.js';

interface Props {
  job: Job;
  fields: Fields;
  set: (change: Partial<Fields>) => void;
}

/** The old job's variables by name, which the server hands on unseen, and those that are set anew. */
export function VariableFields({ job, fields, set }: Props) {
  const { kept, variables } = fields;
  const change = (i: number, change: Partial<Fields['variables'][number]>) =>
    set({ variables: variables.map((one, at) => (at === i ? { ...one, ...change } : one)) });
  return (
    <fieldset className="field-wide">
      <legend>Environment variables</legend>
      {job.envNames.length > 0 && (
        <div className="kept">
          {job.envNames.map((name) => (
            <label key={name} className="check">
              <input
                type="checkbox"
                checked={kept.includes(name)}
                onChange={(event) =>
                  set({
                    kept: event.target.checked ? [...kept, name] : kept.filter((one) => one !== name),
                  })
                }
              />
              <code>{name}</code>
            </label>
          ))}
          <p className="dim small">They are handed on as they are; their values are shown to nobody.</p>
        </div>
      )}
      {variables.map(({ name, value }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name while they are typed
        <div key={i} className="field-row">
          <input
            aria-label={`Name of variable ${i + 1}`}
            placeholder="NAME"
            spellCheck={false}
            value={name}
            onChange={(event) => change(i, { name: event.target.value.trim() })}
          />
          <span className="dim">=</span>
          <input
            aria-label={`Value of variable ${i + 1}`}
            type="password"
            autoComplete="off"
            value={value}
            onChange={(event) => change(i, { value: event.target.value })}
          />
          <TakeAway
            what={`variable ${i + 1}`}
            onClick={() => set({ variables: variables.filter((_, at) => at !== i) })}
          />
        </div>
      ))}
      <button
        type="button"
        className="link"
        onClick={() => set({ variables: [...variables, { name: '', value: '' }] })}
      >
        <Plus size={12} aria-hidden /> variable
      </button>
    </fieldset>
  );
}
