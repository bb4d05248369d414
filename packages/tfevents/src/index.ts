export { decodeEvent, type EventRecord, type ScalarValue } from './events.js';
export { type DataType, encodeGraph, type GraphAttribute, type GraphNode } from './graph.js';
export { type Bucket, decodePictures } from './pictures.js';
export { createEventReader, type EventReader, findEventFiles } from './reader.js';
export { streamRecords } from './record-stream.js';
export { encodeSavedModel, type Signature, type SignatureTensor } from './saved-model.js';
export { createEventWriter, type EventWriter } from './writer.js';
