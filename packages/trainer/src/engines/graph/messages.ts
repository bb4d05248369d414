/** Where the session's thread finds tfjs-node's binding, and libtensorflow beside it. */
export interface ThreadSetup {
  /** tfjs_binding.node. */
  binding: string;
}

/** A tensor to feed: its node and output (`x:0`), its values. */
export interface Feed {
  ref: string;
  shape: number[];
  data: Float32Array | Int32Array;
}

/** A run of a part of the graph: what it is given, and the tensors whose values are wanted. */
export interface Run {
  feeds: Feed[];
  fetches: string[];
}

/** What the thread is asked: to load a SavedModel's folder, to run parts of its graph in a row, to let it go. */
export type ThreadRequest = { id: number } & (
  | { load: string }
  | { session: number; runs: Run[] }
  | { drop: number }
);

/** Its first word. */
export interface ThreadReady {
  tensorflow: string;
  gpu: boolean;
}

export type ThreadReply =
  | ThreadReady
  | { id: number; session?: number; values?: Float32Array[][] }
  | { id: number; failed: string };
