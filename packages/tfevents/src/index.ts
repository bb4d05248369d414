export type { EventRecord, ScalarValue } from './events.js';
export { encodeGraph, type GraphAttribute, type GraphNode } from './graph.js';
export { createEventReader, type EventReader, findEventFiles } from './reader.js';
export { createEventWriter, type EventWriter } from './writer.js';
