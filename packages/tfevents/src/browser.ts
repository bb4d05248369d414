/** What runs in a browser too: records and events out of bytes, without files. */
export { decodeEvent } from './events.js';
export { unframeRecord } from './records.js';
