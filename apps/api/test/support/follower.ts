import { type Client, type Job, logRoutes, readEvents } from '@mycloud/shared';
import { at } from './at.js';

/** What a follower of a log has seen. */
export interface Follower {
  lines: { attempt: number; seq: number; text: string }[];
  events: { event: string; data: unknown; id: string | undefined }[];
  /** Resolves when the stream ends. */
  done: Promise<void>;
  detach(): void;
}

/** Follows a job's log as the page does. */
export async function follow(
  client: Client,
  job: Job,
  from: { after?: string; tail?: number; lastEventId?: string } = {},
): Promise<Follower> {
  const { lastEventId, ...query } = from;
  const leaving = new AbortController();
  const headers: Record<string, string> = lastEventId ? { 'last-event-id': lastEventId } : {};
  const response = await client.open(
    logRoutes.stream,
    { ...at(job), query },
    { headers, signal: leaving.signal },
  );
  const follower: Follower = {
    lines: [],
    events: [],
    done: Promise.resolve(),
    detach: () => leaving.abort(),
  };
  const read = async () => {
    try {
      for await (const { event = 'message', data, id } of readEvents(response)) {
        const parsed = JSON.parse(data) as { lines?: Follower['lines'] };
        follower.events.push({ event, data: parsed, id });
        if (event === 'lines') follower.lines.push(...(parsed.lines ?? []));
      }
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
    }
  };
  follower.done = read();
  return follower;
}
