import { type JobStatus, jobStatuses } from '@mycloud/shared/browser';
import { useEffect, useMemo, useRef } from 'react';
import { useNavigationType, useSearchParams } from 'react-router';
import type { JobFilter } from '../api/queries.js';
import { type ColumnId, readColumns } from './columns.js';

/** What of the address is kept between visits; a text that was searched for isn't. */
const kept = ['cols', 'sort', 'order', 'status', 'project', 'tag'];

export interface JobsView {
  filter: JobFilter;
  /** undefined: the usual ones. */
  columns?: ColumnId[];
  /** Something is otherwise than usual. */
  changed: boolean;
  /** Back to how it usually is. */
  reset: () => void;
}

/**
 * How a list of jobs is looked at. It stands in the address, so that a link shows the same; who comes without
 * finds it as he left it.
 */
export function useJobsView(owner?: string, project?: string): JobsView {
  const [search, setSearch] = useSearchParams();
  const arrived = useNavigationType() !== 'REPLACE';
  const key = `mycloud-view:${owner && project ? `${owner}/${project}` : ''}`;
  const view = partOf(search);
  const restored = useRef<string>(undefined);
  useEffect(() => {
    const comes = restored.current !== key || arrived;
    restored.current = key;
    const missing = comes ? missingIn(view, localStorage.getItem(key) ?? '') : [];
    if (missing.length > 0) {
      setSearch((old) => new URLSearchParams([...old, ...missing]), { replace: true });
      return;
    }
    // What a link filtered for isn't how he left it.
    if (arrived) return;
    if (view) localStorage.setItem(key, view);
    else localStorage.removeItem(key);
  }, [key, view, arrived, setSearch]);
  const filter = useMemo(() => readFilter(search, owner, project), [search, owner, project]);
  const cols = search.get('cols');
  return {
    filter,
    columns: useMemo(() => readColumns(cols), [cols]),
    changed: view !== '' || search.has('q'),
    reset: () => setSearch({}, { replace: true }),
  };
}

const partOf = (search: URLSearchParams): string =>
  new URLSearchParams([...search].filter(([name]) => kept.includes(name))).toString();

/** What an address takes over of how the list was left: all of it, or, where it filters by itself, columns and order alone. */
function missingIn(view: string, stored: string): [string, string][] {
  const now = new URLSearchParams(view);
  return [...new URLSearchParams(stored)].filter(([name]) => {
    if (view === '') return true;
    if (name === 'cols') return !now.has('cols');
    return ['sort', 'order'].includes(name) && !now.has('sort') && !now.has('order');
  });
}

function readFilter(search: URLSearchParams, owner?: string, project?: string): JobFilter {
  const status = search.get('status') as JobStatus | null;
  const [askedOwner, askedProject] = (search.get('project') ?? '').split('/');
  const sort = search.get('sort') ?? '';
  return {
    owner: owner ?? (askedOwner || undefined),
    project: project ?? (askedProject || undefined),
    status: status && jobStatuses.includes(status) ? status : undefined,
    text: search.get('q') || undefined,
    tag: search.get('tag') || undefined,
    sort: /^(duration|metric:.+)$/s.test(sort) ? sort : undefined,
    order: search.get('order') === 'asc' ? 'asc' : undefined,
  };
}
