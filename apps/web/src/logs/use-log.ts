import type { LogLine } from '@mycloud/shared/browser';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { JobRef } from '../api/queries.js';
import { followStream } from '../api/stream.js';
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
    let end: (() => void) | undefined;
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
      if (follow) end = listen(log, { owner, project, number }, setState);
      else setState('ended');
    };
    void open();
    return () => {
      closed = true;
      clearTimeout(retry);
      end?.();
    };
  }, [log, follow, visible, owner, project, number]);
  return { log, state };
}

/** @returns ends it */
function listen(
  log: LogStore,
  { owner, project, number }: JobRef,
  tell: (state: LogState) => void,
): () => void {
  const stream = `/v1/projects/${owner}/${project}/jobs/${number}/logs/stream`;
  const end = followStream(() => `${stream}?after=${log.end.attempt}.${log.end.seq}`, {
    open: () => tell('following'),
    lost: () => tell('away'),
    on: {
      lines: (data) => log.add((JSON.parse(data) as { lines: LogLine[] }).lines),
      progress: (data) => log.draw((JSON.parse(data) as { text: string }).text),
      end() {
        end();
        log.draw('');
        tell('ended');
      },
    },
  });
  return end;
}
