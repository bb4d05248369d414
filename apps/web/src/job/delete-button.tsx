import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { call } from '../api/call.js';
import { dropJobs } from '../api/live.js';
import { isActive } from '../api/queries.js';
import { choose, useChosen } from '../jobs/chosen.js';
import { ConfirmDialog } from '../ui/confirm-dialog.js';
import { tell } from '../ui/toast.js';
import type { TabProps } from './job-page.js';

/** Asks once more, naming the job: there is no way back. One that has not ended is refused. */
export function DeleteButton({ job, at }: TabProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const chosen = useChosen();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => call('DELETE /v1/projects/:owner/:project/jobs/:number', { params: at }),
    onSuccess: () => {
      choose(chosen.filter((name) => name !== job.name));
      void navigate(`/${at.owner}/projects/${at.project}`);
      dropJobs(client, [job.id]);
      tell({ text: `${job.name} was deleted` });
    },
  });
  const active = isActive(job);
  return (
    <>
      <button type="button" className="button button-danger" onClick={() => setAsking(true)}>
        <Trash2 size={13} aria-hidden />
        Delete
      </button>
      {asking && (
        <ConfirmDialog
          title={`Delete ${job.name}?`}
          onClose={() => setAsking(false)}
          keep="Keep it"
          action={active ? undefined : { word: 'Delete the job', pending: 'Deleting…', run: remove.mutate }}
          work={remove}
        >
          {active ? (
            <p>It has not ended. Stop it first; what it wrote is kept until it is deleted.</p>
          ) : (
            <p>Its log, metrics and output are deleted with it. This can’t be undone.</p>
          )}
        </ConfirmDialog>
      )}
    </>
  );
}
