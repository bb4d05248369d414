import type { WorkerInfo } from '@mycloud/shared/browser';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/call.js';
import { ConfirmDialog } from '../ui/confirm-dialog.js';
import { countText } from '../ui/format.js';
import { ErrorNotice } from '../ui/notice.js';

/** For admins: lets a worker take nothing new, having asked; takes that back at once. */
export function DrainButton({ worker }: { worker: WorkerInfo }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const { id, name, draining } = worker;
  const change = useMutation({
    mutationFn: (to: boolean) => call('PATCH /v1/workers/:id', { params: { id }, body: { draining: to } }),
    onSuccess: async () => {
      setAsking(false);
      await Promise.all(
        ['workers', 'machines', 'queue'].map((key) => client.invalidateQueries({ queryKey: [key] })),
      );
    },
  });
  const left = worker.jobs.length + worker.otherJobs;
  return (
    <div>
      <button
        type="button"
        className="button"
        disabled={change.isPending}
        onClick={() => (draining ? change.mutate(false) : setAsking(true))}
      >
        {draining ? 'Undrain' : 'Drain'}
      </button>
      {change.error && !asking && <ErrorNotice error={change.error} />}
      {asking && (
        <ConfirmDialog
          title={`Drain ${name}?`}
          onClose={() => setAsking(false)}
          keep="Leave it"
          action={{
            word: `Drain ${name}`,
            pending: `Drain ${name}`,
            run: () => change.mutate(true),
            harmless: true,
          }}
          work={change}
        >
          <p>
            It takes no new job{left > 0 && `, and finishes the ${countText(left, 'job')} it has`}. That
            holds, though it restarts, until you undrain it.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}
