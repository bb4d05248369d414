/** As much of jsfive as is used here; it comes without types. */
declare module 'jsfive' {
  type DType = string | [string, ...unknown[]];
  export class Group {
    readonly keys: string[];
    /** Name → value, or a thrown word for what it can't read. */
    readonly attrs: Record<string, unknown>;
    get(name: string): Group | Dataset | null;
  }
  export class Dataset {
    readonly shape: number[];
    readonly dtype: DType;
    readonly value: unknown;
    readonly attrs: Record<string, unknown>;
  }
  export class File extends Group {
    constructor(bytes: ArrayBuffer, name?: string);
  }
}
