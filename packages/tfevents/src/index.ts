export type { EventRecord, ScalarValue } from './events.js';
export { type DataType, encodeGraph, type GraphAttribute, type GraphNode } from './graph.js';
export { createEventReader, type EventReader, findEventFiles } from './reader.js';
export { encodeSavedModel, type Signature, type SignatureTensor } from './saved-model.js';
export { createEventWriter, type EventWriter } from './writer.js';
