import { jobStatuses } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { Search, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { type JobFilter, projectsQuery } from '../api/queries.js';
import { useSetInAddress } from '../ui/address.js';
import { useKeys } from '../ui/keyboard.js';
import { statuses } from '../ui/status.js';

/** A pause in typing this long is when the server is asked. */
const pauseMs = 250;

/** Text, status and project, each kept in the address. */
export function Filters({ filter, ofProject }: { filter: JobFilter; ofProject: boolean }) {
  const set = useSetInAddress();
  const input = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => input.current?.focus() });
  const projects = useQuery({ ...projectsQuery, enabled: !ofProject });
  const named = filter.owner && filter.project ? `${filter.owner}/${filter.project}` : '';
  const names = (projects.data?.items ?? []).map((project) => `${project.owner}/${project.name}`);
  return (
    <search className="filters">
      <TextFilter inputRef={input} text={filter.text ?? ''} onChange={(text) => set('q', text)} />
      <label>
        <span className="sr-only">Status</span>
        <select value={filter.status ?? ''} onChange={(event) => set('status', event.target.value)}>
          <option value="">every status</option>
          {jobStatuses.map((status) => (
            <option key={status} value={status}>
              {statuses[status].word}
            </option>
          ))}
        </select>
      </label>
      {filter.tag && (
        <button type="button" className="tag tag-filter" onClick={() => set('tag', '')}>
          {filter.tag}
          <X size={13} aria-hidden />
          <span className="sr-only">: show jobs of any tag</span>
        </button>
      )}
      {!ofProject && (
        <label>
          <span className="sr-only">Project</span>
          <select value={named} onChange={(event) => set('project', event.target.value)}>
            <option value="">every project</option>
            {named && !names.includes(named) && <option value={named}>{named}</option>}
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
    </search>
  );
}

interface TextFilterProps {
  inputRef: React.RefObject<HTMLInputElement | null>;
  text: string;
  onChange: (text: string) => void;
}

function TextFilter({ inputRef, text, onChange }: TextFilterProps) {
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <label className="search-field">
      <Search size={15} aria-hidden />
      <span className="sr-only">Search jobs by command, description, tag or name</span>
      <input
        ref={inputRef}
        type="search"
        placeholder="Search command, description, tag"
        value={typed}
        onChange={(event) => {
          const { value } = event.target;
          setTyped(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onChange(value.trim()), pauseMs);
        }}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <kbd aria-hidden>/</kbd>
    </label>
  );
}
