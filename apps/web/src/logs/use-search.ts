import { useEffect, useState } from 'react';
import { call } from '../api/call.js';
import type { JobRef } from '../api/queries.js';
import type { Place } from './log-store.js';

const pauseMs = 250;
const mostMatches = 2000;

export interface LogSearch {
  /** In the order of the log. */
  matches: Place[];
  busy: boolean;
  error?: unknown;
}

const none: LogSearch = { matches: [], busy: false };

/** Looks through the whole log on the server, a part at a time, showing what was found so far. `upTo` grows as lines come. */
export function useLogSearch({ owner, project, number }: JobRef, text: string, upTo: number): LogSearch {
  const [found, setFound] = useState(none);
  // Lines that come during a search are looked at by the next one.
  const batch = Math.floor(upTo / 1000);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a log that has grown is searched again
  useEffect(() => {
    if (!text) {
      setFound(none);
      return;
    }
    const leaving = new AbortController();
    const look = async () => {
      const matches: Place[] = [];
      let after: string | undefined;
      for (let ended = false; !ended && matches.length < mostMatches; ) {
        const answer = await call(
          'GET /v1/projects/:owner/:project/jobs/:number/logs/search',
          { params: { owner, project, number }, query: { text, after, limit: 1000 } },
          { signal: leaving.signal },
        );
        matches.push(...answer.lines.map(({ attempt, seq }) => ({ attempt, seq })));
        after = answer.cursor;
        ended = answer.ended;
        setFound({ matches: [...matches], busy: !ended && matches.length < mostMatches });
      }
    };
    const timer = setTimeout(() => {
      setFound((old) => ({ ...old, busy: true }));
      look().catch((error: unknown) => {
        if (!leaving.signal.aborted) setFound((old) => ({ ...old, busy: false, error }));
      });
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [owner, project, number, text, batch]);
  return found;
}
