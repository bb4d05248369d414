import type { LogLine } from '@mycloud/shared/browser';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { JobRef } from '../api/queries.js';
import { useVisible } from '../ui/visible.js';
import { LogStore } from './log-store.js';

/** `following`: lines come as they are printed; `away`: the server is asked again and again; `ended`: none will come. */
export type LogState = 'reading' | 'following' | 'away' | 'ended';

/** A job's log, followed from its end while the job goes on and the tab is to be seen. */
export function useLog(at: JobRef, active: boolean): { log: LogStore; state: LogState } {
  const { owner, project, number } = at;
  const log = useMemo(() => new LogStore({ owner, project, number }), [owner, project, number]);
  useSyncExternalStore(log.subscribe, () => log.version);
  const [state, setState] = useState<LogState>('reading');
  const visible = useVisible();
  // A log once followed is followed to its end, which comes after the job's.
  const [follow, setFollow] = useState(active);
  useEffect(() => {
    if (active) setFollow(true);
  }, [active]);

  useEffect(() => {
    if (!visible) return;
    let source: EventSource | undefined;
    let retry: ReturnType<typeof setTimeout>;
    let closed = false;
    const open = async () => {
      try {
        await log.readAttempts();
      } catch (error) {
        log.error = error;
        setState('away');
        if (!closed) retry = setTimeout(open, 2000);
        return;
      }
      log.error = undefined;
      if (closed) return;
      if (follow) source = listen(log, { owner, project, number }, setState);
      else setState('ended');
    };
    void open();
    return () => {
      closed = true;
      clearTimeout(retry);
      source?.close();
    };
  }, [log, follow, visible, owner, project, number]);
  return { log, state };
}

/** The browser connects again by itself, and says which line it had last. */
function listen(
  log: LogStore,
  { owner, project, number }: JobRef,
  tell: (state: LogState) => void,
): EventSource {
  const { attempt, seq } = log.end;
  const source = new EventSource(
    `/v1/projects/${owner}/${project}/jobs/${number}/logs/stream?after=${attempt}.${seq}`,
  );
  source.onopen = () => tell('following');
  source.onerror = () => tell('away');
  source.addEventListener('lines', (event) =>
    log.add((JSON.parse(event.data) as { lines: LogLine[] }).lines),
  );
  source.addEventListener('progress', (event) => log.draw((JSON.parse(event.data) as { text: string }).text));
  source.addEventListener('end', () => {
    source.close();
    log.draw('');
    tell('ended');
  });
  return source;
}
