import type { Job } from '@mycloud/shared/browser';
import { useMutation } from '@tanstack/react-query';
import { CalendarClock } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/call.js';
import type { JobRef } from '../api/queries.js';
import { Dialog } from '../ui/dialog.js';
import { ErrorNotice } from '../ui/notice.js';
import type { Place } from './log-store.js';

interface Props {
  job: Job;
  at: JobRef;
  jump: (place: Place) => void;
}

/** As a field for a local time wants it: 2026-11-24T14:02:05 */
function localText(iso: string): string {
  const time = new Date(iso);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Asks for a time, and goes to the first line printed then or after it. */
export function GoToTime({ job, at, jump }: Props) {
  const [open, setOpen] = useState(false);
  const [time, setTime] = useState('');
  const find = useMutation({
    mutationFn: () =>
      call('GET /v1/projects/:owner/:project/jobs/:number/logs/at', {
        params: at,
        query: { time: new Date(time).getTime() },
      }),
    onSuccess: ({ place }) => {
      setOpen(false);
      if (place) jump(place);
    },
  });
  const show = () => {
    setTime(localText(job.startedAt ?? job.createdAt));
    setOpen(true);
  };
  return (
    <>
      <button
        type="button"
        className="icon-button"
        title="Go to a time"
        aria-label="Go to a time"
        onClick={show}
      >
        <CalendarClock size={15} aria-hidden />
      </button>
      {open && (
        <Dialog title="Go to a time" onClose={() => setOpen(false)}>
          <form
            className="form"
            onSubmit={(event) => {
              event.preventDefault();
              find.mutate();
            }}
          >
            <label className="field">
              The first line printed at or after
              <input
                type="datetime-local"
                step="1"
                required
                value={time}
                onChange={({ target }) => setTime(target.value)}
              />
            </label>
            {find.error && <ErrorNotice error={find.error} />}
            <div className="buttons">
              <button type="button" className="button" onClick={() => setOpen(false)}>
                Cancel
              </button>
              <button type="submit" className="button button-primary" disabled={find.isPending}>
                Go there
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
