const firstMs = 500;
const longestMs = 10_000;

interface StreamEvents {
  open(): void;
  /** @param refused something answered, and it was no stream */
  lost(refused: boolean): void;
  /** By their names, each with its data. */
  on: Record<string, (data: string) => void>;
}

/**
 * A stream of events that stays. A browser connects again by itself when a server goes, and says what it had last; it gives up
 * when a proxy answers in the server's place, so that is tried again here.
 * @param url asked each time, so that it can say what one has by then
 * @returns ends it
 */
export function followStream(url: () => string, events: StreamEvents): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = firstMs;
  const open = () => {
    source = new EventSource(url());
    source.onopen = () => {
      waitMs = firstMs;
      events.open();
    };
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED;
      events.lost(refused);
      if (!refused) return;
      timer = setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, longestMs);
    };
    for (const [name, take] of Object.entries(events.on))
      source.addEventListener(name, ({ data }) => take(data as string));
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
