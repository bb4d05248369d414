import {
  ArrowDownToLine,
  ArrowUpToLine,
  ChevronDown,
  ChevronUp,
  Clock,
  Download,
  Search,
  WifiOff,
  WrapText,
} from 'lucide-react';
import { type ReactNode, useRef, useState } from 'react';
import type { JobRef } from '../api/queries.js';
import { countText } from '../ui/format.js';
import { useKeys } from '../ui/keyboard.js';
import type { LogState } from './use-log.js';
import type { LogSearch } from './use-search.js';

interface Props {
  at: JobRef;
  state: LogState;
  follow: boolean;
  /** Absent: nothing is left to follow. */
  setFollow?: (follow: boolean) => void;
  wrap: boolean;
  /** Absent: the log is too long for lines of different heights. */
  setWrap?: (wrap: boolean) => void;
  times: boolean;
  setTimes: (times: boolean) => void;
  text: string;
  setText: (text: string) => void;
  search: LogSearch;
  match: number;
  goTo: (match: number) => void;
  total: number;
  goToLine: (seq: number) => void;
  goToTime: ReactNode;
  toStart: () => void;
  toEnd: () => void;
}

const words: Record<LogState, string> = {
  reading: 'reading',
  following: 'live',
  away: 'reconnecting…',
  ended: 'complete',
};

export function LogToolbar(props: Props) {
  const { at, state, follow, setFollow, wrap, setWrap, times, setTimes, total, toStart, toEnd } = props;
  return (
    <div className="log-bar">
      <SearchField {...props} />
      <GoToLine goToLine={props.goToLine} />
      {props.goToTime}
      <Toggle word="First line" icon={<ArrowUpToLine size={15} aria-hidden />} onClick={toStart} />
      <Toggle word="Last line" icon={<ArrowDownToLine size={15} aria-hidden />} onClick={toEnd} />
      {setWrap && (
        <Toggle
          word="Wrap long lines"
          icon={<WrapText size={15} aria-hidden />}
          pressed={wrap}
          onClick={() => setWrap(!wrap)}
        />
      )}
      <Toggle
        word="Show times"
        icon={<Clock size={15} aria-hidden />}
        pressed={times}
        onClick={() => setTimes(!times)}
      />
      <a
        className="icon-button"
        href={`/v1/projects/${at.owner}/${at.project}/jobs/${at.number}/logs/text`}
        download={`${at.project}-${at.number}.log`}
        title="Download the log"
        aria-label="Download the log"
      >
        <Download size={15} aria-hidden />
      </a>
      {setFollow && (
        <button type="button" className="button" aria-pressed={follow} onClick={() => setFollow(!follow)}>
          Follow
        </button>
      )}
      <span className={`log-state state-${state}`} role="status">
        {state === 'away' && <WifiOff size={14} aria-hidden />}
        {countText(total, 'line')} · {words[state]}
      </span>
    </div>
  );
}

function Toggle({
  word,
  icon,
  pressed,
  onClick,
}: {
  word: string;
  icon: ReactNode;
  pressed?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      className="icon-button"
      title={word}
      aria-label={word}
      aria-pressed={pressed}
      onClick={onClick}
    >
      {icon}
    </button>
  );
}

function SearchField({ text, setText, search, match, goTo }: Props) {
  const input = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => input.current?.focus() });
  const { matches, busy, error } = search;
  const step = (by: number) => goTo((match + by + matches.length) % matches.length);
  const count = error
    ? 'the search failed; type again'
    : matches.length > 0
      ? `${match + 1} of ${matches.length}${busy ? '…' : ''}`
      : busy
        ? 'searching…'
        : 'no match';
  return (
    <search className="log-search">
      <label className="search-field">
        <Search size={15} aria-hidden />
        <span className="sr-only">Search the whole log</span>
        <input
          ref={input}
          type="search"
          placeholder="Search the whole log"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
            if (event.key === 'Escape') {
              setText('');
              event.currentTarget.blur();
            }
          }}
        />
        <kbd aria-hidden>/</kbd>
      </label>
      {text.trim() && (
        <>
          <span className="dim number" role="status">
            {count}
          </span>
          <Toggle word="Previous match" icon={<ChevronUp size={15} aria-hidden />} onClick={() => step(-1)} />
          <Toggle word="Next match" icon={<ChevronDown size={15} aria-hidden />} onClick={() => step(1)} />
        </>
      )}
    </search>
  );
}

function GoToLine({ goToLine }: { goToLine: (seq: number) => void }) {
  const [typed, setTyped] = useState('');
  return (
    <form
      className="go-to-line"
      onSubmit={(event) => {
        event.preventDefault();
        if (Number(typed) > 0) goToLine(Number(typed));
      }}
    >
      <input
        inputMode="numeric"
        pattern="[0-9]*"
        placeholder="Line"
        aria-label="Go to line"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </form>
  );
}
