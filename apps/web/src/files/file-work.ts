import { useQuery } from '@tanstack/react-query';

/** A file that takes longer to be read is given up: one made to be endless keeps nothing busy. */
const mostMs = 30_000;

/** What a worker of these answers. */
type Reply<Answer> = { answer: Answer } | { error: string };

/** Gives a worker a file to read, and ends it with its answer: what is hostile or large never holds up the page. */
function askWorker<Answer>(start: () => Worker, asked: unknown, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = start();
    const end = (settle: () => void) => {
      clearTimeout(timer);
      worker.terminate();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error('Reading the file took too long. Download it instead.'))),
      mostMs,
    );
    signal.addEventListener('abort', () => end(() => reject(signal.reason)));
    worker.onerror = (event) => end(() => reject(new Error(event.message || 'The reader could not start.')));
    worker.onmessage = ({ data }: MessageEvent<Reply<Answer>>) =>
      end(() => ('error' in data ? reject(new Error(data.error)) : resolve(data.answer)));
    worker.postMessage(asked);
  });
}

/** What a worker reads in a file of a snapshot, which never changes. */
export const useFileWork = <Answer>(kind: string, start: () => Worker, asked: FileToRead) =>
  useQuery({
    queryKey: [kind, asked.snapshotId, asked.path],
    queryFn: ({ signal }) => askWorker<Answer>(start, asked, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export interface FileToRead {
  snapshotId: string;
  path: string;
  size: number;
}

/** The other side: in a worker, reads each file it is given. */
export function serveFiles<Answer>(read: (file: FileToRead) => Promise<Answer>): void {
  addEventListener('message', ({ data }: MessageEvent<FileToRead>) => {
    read(data).then(
      (answer) => postMessage({ answer } satisfies Reply<Answer>),
      (error: unknown) =>
        postMessage({
          error: error instanceof Error ? error.message : String(error),
        } satisfies Reply<Answer>),
    );
  });
}
