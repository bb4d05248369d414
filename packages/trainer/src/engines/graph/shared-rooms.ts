/**
 * Memory that two threads see: what is fed at each step is copied into it once, and leaves nothing to be collected. What
 * lies in such memory already, as pictures from files do, is used where it is.
 */
export class SharedRooms {
  private free: SharedArrayBuffer[] = [];

  /** Calls `use` with a copy of `data` in shared memory, which is its own until it ends. */
  async with<T>(data: Float32Array, use: (shared: Float32Array) => Promise<T>): Promise<T> {
    if (data.buffer instanceof SharedArrayBuffer) return use(data);
    // One that is too small is let go.
    const held = this.free.pop();
    const room = held && held.byteLength >= data.byteLength ? held : new SharedArrayBuffer(data.byteLength);
    try {
      const shared = new Float32Array(room, 0, data.length);
      shared.set(data);
      return await use(shared);
    } finally {
      this.free.push(room);
    }
  }
}
