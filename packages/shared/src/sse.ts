import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Answer } from './client.js';

/** Reads the messages of a text/event-stream response until it ends; the caller reconnects. */
export async function* readEvents(response: Pick<Answer, 'body'>): AsyncGenerator<EventSourceMessage> {
  const queue: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => queue.push(event) });
  const decoder = new TextDecoder();
  if (!response.body) return;
  for await (const bytes of response.body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    while (queue.length > 0) yield queue.shift() as EventSourceMessage;
  }
}
