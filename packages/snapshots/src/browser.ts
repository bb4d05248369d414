/** What runs in a browser too: how files are cut, trees are written down, and work is bounded and tried again. */
export { Cutter, wholeBytes } from './cutter.js';
export { encodeManifest } from './encode-manifest.js';
export { defaultIgnoreFiles, ignoreRules } from './ignore-rules.js';
export type { Chunk, Entry } from './manifest.js';
export { Limit } from './pool.js';
export { Meter, type UploadProgress } from './progress.js';
export { backOff, isPassing, tries, withRetry } from './retry.js';
export { slabBytes } from './slab.js';
export { pathFault, quoted } from './tree-rules.js';
