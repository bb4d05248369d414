import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a line does with bytes: carries them, keeps them (a partition that heals), or refuses every connection. */
type State = 'open' | 'silent' | 'refusing';

/** A line between two programs, through which the adversary cuts them off. With many ends it is a load balancer. */
export class Link {
  readonly name: string;
  #ends: number[];
  #server: Server;
  #pairs = new Set<[Socket, Socket]>();
  #state: State = 'open';

  private constructor(name: string, ends: number[]) {
    this.name = name;
    this.#ends = ends;
    this.#server = createServer({ allowHalfOpen: true }, (near) => void this.#accept(near));
  }

  static async open(name: string, ends: number[]): Promise<Link> {
    const link = new Link(name, ends);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection; new ones are taken at once. */
  cut(): void {
    for (const [near, far] of this.#pairs) for (const socket of [near, far]) socket.resetAndDestroy();
  }

  /** Carries nothing more and tells nobody. */
  silence(): void {
    this.#state = 'silent';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  refuse(): void {
    this.#state = 'refusing';
    this.cut();
  }

  /** What was held back goes on, as after a partition that was shorter than TCP's patience. */
  heal(): void {
    this.#state = 'open';
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  async #accept(near: Socket): Promise<void> {
    near.on('error', () => near.destroy());
    near.pause();
    if (this.#state === 'refusing') return void near.resetAndDestroy();
    const far = await this.#reach();
    if (!far || near.destroyed) {
      far?.destroy();
      near.resetAndDestroy();
      return;
    }
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    far.on('error', () => far.destroy());
    this.#carry(near, far);
    this.#carry(far, near);
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.once('close', () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
    if (this.#state === 'open') for (const socket of pair) socket.resume();
  }

  #carry(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (to.write(bytes)) return;
      from.pause();
      to.once('drain', () => {
        if (this.#state === 'open') from.resume();
      });
    });
    from.once('end', () => to.end());
  }

  /** The first end that takes a connection. */
  async #reach(): Promise<Socket | undefined> {
    for (const port of this.#ends) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      const taken = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
      if (taken) return socket;
    }
    return undefined;
  }
}
