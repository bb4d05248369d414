import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** Reads the messages of a text/event-stream response until it ends; the caller reconnects. */
export async function* readEvents(response: Response): AsyncGenerator<EventSourceMessage> {
  const queue: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => queue.push(event) });
  const decoder = new TextDecoder();
  if (!response.body) return;
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    while (queue.length > 0) yield queue.shift() as EventSourceMessage;
  }
}
