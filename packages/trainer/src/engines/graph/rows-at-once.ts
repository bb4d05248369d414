import { count } from '../../layers/layer.js';
import type { BuiltLayer } from '../../network.js';

/** What the largest tensor of a share may hold: about what a processor keeps near, so that fewer rows are hardly slower. */
const LARGEST_BYTES = 24 * 2 ** 20;
/** Fewer rows than this don't keep the threads busy. */
const FEWEST = 4;

/**
 * How many rows of a batch are computed at once: activations are most of a step's memory. All of a batch where it is
 * normalised while training.
 * @param whole all of it: on a GPU, whose memory is its own, and for bfloat16, where few rows give most of its speed away
 */
export function rowsAtOnce(network: readonly BuiltLayer[], whole: boolean): { train: number; test: number } {
  const largest = Math.max(...network.map(({ outputShape }) => count(outputShape))) * 4;
  const few = whole ? Number.POSITIVE_INFINITY : Math.max(FEWEST, Math.floor(LARGEST_BYTES / largest));
  const isNormalised = network.some(({ layer }) => layer.kind === 'batch_normalization');
  return { train: isNormalised ? Number.POSITIVE_INFINITY : few, test: few };
}
