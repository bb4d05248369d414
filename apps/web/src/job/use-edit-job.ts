import type { EditJob, Job } from '@mycloud/shared/browser';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../api/call.js';
import { type JobRef, jobQuery } from '../api/queries.js';
import { tell } from '../ui/toast.js';

interface Edit {
  change: EditJob;
  /** What it was, for the way back. */
  before: EditJob;
  /** Said when it is done. */
  said: string;
  /** The state the change was made on; without, the newest this page knows. */
  revision?: string;
}

/**
 * Changes tags, note or description. It shows at once, one change after the other is sent, and what the server refuses
 * is taken back and said.
 */
export function useEditJob(at: JobRef) {
  const client = useQueryClient();
  const { queryKey } = jobQuery(at);
  const known = () => client.getQueryData<Job>(queryKey);
  const show = (change: Partial<Job>) =>
    client.setQueryData<Job>(queryKey, (old) => old && { ...old, ...change });
  const mutation = useMutation({
    scope: { id: `edit ${queryKey.join(' ')}` },
    mutationFn: ({ change, revision }: Edit) =>
      call(
        'PATCH /v1/projects/:owner/:project/jobs/:number',
        { params: at, body: change },
        { headers: { 'if-match': `"${revision ?? known()?.revision}"` } },
      ),
    onMutate: ({ change }) => show(change),
    onSuccess: (job, { change, before, said }) => {
      // Only what was edited: the rest of the job may have gone on meanwhile, as the stream tells.
      show({ ...change, revision: job.revision });
      tell({ text: said, undo: () => mutation.mutate({ change: before, before: change, said: 'Undone' }) });
    },
    onError: (error, { before }) => {
      show(before);
      void client.invalidateQueries({ queryKey });
      tell({ text: `Not saved: ${error.message}`, failed: true });
    },
  });
  /** @throws AppError */
  return (change: EditJob, said: string, revision?: string): Promise<unknown> => {
    const job = known();
    if (!job) return Promise.resolve();
    const before: EditJob = {};
    if (change.tags) before.tags = job.tags;
    if (change.note !== undefined) before.note = job.note;
    if (change.description !== undefined) before.description = job.description;
    return mutation.mutateAsync({ change, before, said, revision });
  };
}
