import type { TreeChange } from '@mycloud/shared/browser';
import { bytesText } from './format.js';

/** Before the path. */
export const changeMarks = { added: '+', removed: '−', changed: '~' } as const;

/** `1.2 KB → 3.4 KB`, of what it was and is. */
export const changeSizes = ({ before, after }: TreeChange): string[] =>
  [before, after].flatMap((size) => (size === null ? [] : bytesText(size)));
