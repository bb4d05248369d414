import type { Job } from '@mycloud/shared/browser';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Square } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/call.js';
import { jobKey } from '../api/queries.js';
import { ConfirmDialog } from '../ui/confirm-dialog.js';
import type { TabProps } from './job-page.js';

/** Asks once more, naming the job; its output is kept. */
export function StopButton({ job, at }: TabProps) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const stop = useMutation({
    mutationFn: () => call('POST /v1/projects/:owner/:project/jobs/:number/stop', { params: at }),
    onSuccess: (stopped) => {
      client.setQueryData<Job>(['job', jobKey(at)], stopped);
      setAsking(false);
    },
  });
  const asked = stop.isSuccess;
  return (
    <>
      <button type="button" className="button button-danger" onClick={() => setAsking(true)} disabled={asked}>
        <Square size={13} aria-hidden />
        {asked ? 'Stopping…' : 'Stop'}
      </button>
      {asking && (
        <ConfirmDialog
          title={`Stop ${job.name}?`}
          onClose={() => setAsking(false)}
          keep="Let it run"
          action={{ word: 'Stop the job', pending: 'Stopping…', run: stop.mutate }}
          work={stop}
        >
          <p>Its command is told to end, and what it wrote to /output is kept.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
