import { Plus, X } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { Link } from 'react-router';
import { useRights } from '../api/rights.js';
import type { TabProps } from './job-page.js';
import { useEditJob } from './use-edit-job.js';

/** The job's tags: each leads to the project's jobs that have it, is taken off, and others are put on. */
export function JobTags({ job, at }: TabProps) {
  const { change } = useRights(at.owner);
  const edit = useEditJob(at);
  const [typed, setTyped] = useState<string>();
  // What failed has been said; the promise has nothing to add.
  const set = (tags: string[], said: string) => void edit({ tags }, said).catch(() => undefined);
  const add = () => {
    const more = (typed ?? '').split(/[\s,]+/).filter((tag) => tag && !job.tags.includes(tag));
    if (more.length > 0) set([...job.tags, ...more], `Tagged ${more.join(', ')}`);
    setTyped(undefined);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setTyped(undefined);
    if (event.key === 'Enter') add();
  };
  return (
    <ul className="tags" aria-label="Tags">
      {job.tags.map((tag) => (
        <li key={tag} className="tag">
          <Link to={`/${at.owner}/projects/${at.project}?tag=${encodeURIComponent(tag)}`}>{tag}</Link>
          {change && (
            <button
              type="button"
              aria-label={`Take the tag ${tag} off`}
              onClick={() =>
                set(
                  job.tags.filter((one) => one !== tag),
                  `The tag ${tag} was taken off`,
                )
              }
            >
              <X size={12} aria-hidden />
            </button>
          )}
        </li>
      ))}
      {change && (
        <li>
          {typed === undefined ? (
            <button type="button" className="link" onClick={() => setTyped('')}>
              <Plus size={12} aria-hidden /> tag
            </button>
          ) : (
            <input
              // biome-ignore lint/a11y/noAutofocus: it was just asked for
              autoFocus
              className="tag-input"
              aria-label="New tags"
              placeholder="tag, then Enter"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              onKeyDown={key}
              onBlur={add}
            />
          )}
        </li>
      )}
    </ul>
  );
}
