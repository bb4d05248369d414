/** A wait that can be cut short. A timer and a promise: an AbortSignal for each would cost more than what is waited for. */
export class Pause {
  #end: (() => void) | null = null;

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the wait there is. */
  end(): void {
    this.#end?.();
    this.#end = null;
  }
}
