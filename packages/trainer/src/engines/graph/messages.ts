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

/** What the thread is asked: to load a SavedModel's folder, to run a part of its graph, to let it go. */
export type ThreadRequest = { id: number } & (
  | { load: string }
  | { session: number; feeds: Feed[]; fetches: string[] }
  | { drop: number }
);

/** Its first word. */
export interface ThreadReady {
  tensorflow: string;
  gpu: boolean;
}

export type ThreadReply =
  | ThreadReady
  | { id: number; session?: number; values?: Float32Array[] }
  | { id: number; failed: string };
