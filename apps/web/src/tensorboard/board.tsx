import type { Tensorboard } from '@mycloud/shared/browser';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react';
import { call, untilBack } from '../api/call.js';
import { tensorboardQuery } from '../api/queries.js';
import { CopyText } from '../ui/copy.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { Frame } from './frame.js';

interface Props {
  /** By name, with commas between them. */
  jobs: string;
  /** More may come: TensorBoard reads again by itself. */
  live: boolean;
  /** Shown where the server has no TensorBoard. */
  children?: ReactNode;
}

/** Starts the TensorBoard of these jobs and shows it; says what is to be done where it can't. */
export function Board({ jobs, live, children }: Props) {
  const client = useQueryClient();
  const found = useQuery(tensorboardQuery(jobs));
  const start = useMutation({
    mutationFn: () => call('POST /v1/tensorboards', { body: { jobs } }),
    ...untilBack,
    onSuccess: (now) => client.setQueryData<Tensorboard>(tensorboardQuery(jobs).queryKey, now),
  });
  const { state, message, command, path } = found.data ?? {};
  const begin = useEffectEvent(() => start.mutate());
  // It is off until somebody looks, and after the server was started again.
  const isOff = state === 'off' && !start.isPending && !start.isError;
  useEffect(() => {
    if (isOff) begin();
  }, [isOff]);
  // Each answer has a new address; a frame keeps the one it was opened by.
  const [shown, setShown] = useState<string | null>(null);
  useEffect(() => {
    if (state === 'ready') setShown((old) => old ?? path ?? null);
    if (state === 'ended') setShown(null);
  }, [state, path]);

  if (found.error && !found.data) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (start.error) return <ErrorNotice error={start.error} retry={() => start.mutate()} />;
  if (!found.data) return <Loading what="TensorBoard" />;
  if (start.isPending && !shown) {
    return (
      <p className="loading dim" role="status">
        Starting TensorBoard…
      </p>
    );
  }
  if (state === 'no_events') {
    return (
      <Empty
        title="No event files yet"
        commands={['mycloud run --tensorboard "train --logdir /output/Graph"']}
      >
        {live
          ? 'They appear here once the job writes TensorBoard’s event files below /output, which is saved every few seconds.'
          : 'TensorBoard shows the event files that a job writes below /output; there were none.'}
      </Empty>
    );
  }
  if (state === 'not_installed') {
    return (
      <>
        <div className="notice">
          <div>
            <p>
              {message} {command && 'This makes it available, once and for all jobs:'}
            </p>
            {command && <CopyText text={command} />}
          </div>
        </div>
        {children}
      </>
    );
  }
  if (state === 'ended') {
    return (
      <div className="notice notice-error" role="alert">
        <TriangleAlert size={18} aria-hidden />
        <div>
          <p>{message}</p>
        </div>
        <button type="button" className="button" onClick={() => start.mutate()}>
          Start it again
        </button>
      </div>
    );
  }
  return shown ? (
    <Frame path={shown} live={live} message={message ?? null} />
  ) : (
    <Loading what="TensorBoard" />
  );
}
