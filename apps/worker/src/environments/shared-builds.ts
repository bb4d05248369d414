import type { Asker } from './environment.js';

interface Running {
  askers: Set<Asker>;
  /** Ends it when nobody waits for it any more. */
  givenUp: AbortController;
  done: Promise<void>;
}

/** Builds under way: whoever asks for one meanwhile waits for it, hears what it says, and shares its end. */
export class SharedBuilds {
  #running = new Map<string, Running>();

  get any(): boolean {
    return this.#running.size > 0;
  }

  has(name: string): boolean {
    return this.#running.has(name);
  }

  /**
   * @param what is built, in words
   * @param build ends soon after its signal; it goes on as long as one of those who ask for it waits
   */
  async run(name: string, what: string, asker: Asker, build: (all: Asker) => Promise<void>): Promise<void> {
    for (;;) {
      asker.signal.throwIfAborted();
      const already = this.#running.get(name);
      if (already) asker.say(`${what} is being built for another job; waiting for it`);
      const running = already ?? this.#start(name, build);
      running.askers.add(asker);
      try {
        await settled(running.done, asker.signal);
        return;
      } catch (error) {
        // Everybody else left in the moment this one came.
        if (running.givenUp.signal.aborted && !asker.signal.aborted) continue;
        throw error;
      } finally {
        running.askers.delete(asker);
        if (running.askers.size === 0) running.givenUp.abort();
        // Who gives up last stays until nothing of it runs any more.
        if (running.givenUp.signal.aborted) await running.done.catch(() => undefined);
      }
    }
  }

  #start(name: string, build: (all: Asker) => Promise<void>): Running {
    const askers = new Set<Asker>();
    const givenUp = new AbortController();
    const say = (line: string): void => {
      for (const asker of askers) asker.say(line);
    };
    const done = Promise.resolve()
      .then(() => build({ say, signal: givenUp.signal }))
      .finally(() => this.#running.delete(name));
    const running = { askers, givenUp, done };
    this.#running.set(name, running);
    return running;
  }
}

/** The promise, or the signal's reason when that comes first. */
function settled(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
