/**
 * A row of things in bounded room: each slot stands for the same number of them, which is doubled whenever all slots are
 * full. Holds: there are at most `most` slots, and the last one knows of the last thing.
 */
export class Thinned<T> {
  slots: T[] = [];
  private perSlot = 1;
  private inLast = 1;

  /** @param join makes one slot of two that follow each other */
  constructor(
    private readonly most: number,
    private readonly join: (before: T, after: T) => T,
  ) {}

  add(thing: T): void {
    if (this.slots.length > 0 && this.inLast < this.perSlot) {
      this.slots.push(this.join(this.slots.pop()!, thing));
      this.inLast++;
      return;
    }
    if (this.slots.length === this.most) {
      this.slots = this.slots.flatMap((slot, i) => {
        if (i % 2 === 1) return [];
        const next = this.slots[i + 1];
        return [next === undefined ? slot : this.join(slot, next)];
      });
      this.perSlot *= 2;
    }
    this.slots.push(thing);
    this.inLast = 1;
  }
}
