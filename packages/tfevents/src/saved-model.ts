import { type DataType, dataTypes, encodeGraph, type GraphNode, shapeFields } from './graph.js';
import { field, message } from './proto.js';

/** A tensor of a graph as a signature names it: `node:output`, its type and shape (unknown sizes are −1). */
export interface SignatureTensor {
  name: string;
  type: DataType;
  shape: number[];
}

/** What is fed and what is fetched, under names of its own. */
export interface Signature {
  inputs: Record<string, SignatureTensor>;
  outputs: Record<string, SignatureTensor>;
}

/** A map entry (key 1, value 2) of TensorInfo {name 1, dtype 2, tensor_shape 3}. */
const tensorEntry = (number: number, key: string, { name, type, shape }: SignatureTensor) =>
  field.message(
    number,
    field.string(1, key),
    field.message(
      2,
      field.string(1, name),
      field.int(2, dataTypes[type]),
      field.message(3, ...shapeFields(shape)),
    ),
  );

/**
 * A saved_model.pb: one graph under the tag "serve" with its signatures. Its variables have their values from a
 * signature that assigns them, so it stands alone, with no `variables` folder beside it.
 * saved_model.proto, meta_graph.proto.
 */
export function encodeSavedModel(
  nodes: GraphNode[],
  signatures: Record<string, Signature>,
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(signatures).map(([key, { inputs, outputs }]) =>
    field.message(
      5,
      field.string(1, key),
      field.message(
        2,
        ...Object.entries(inputs).map(([name, tensor]) => tensorEntry(1, name, tensor)),
        ...Object.entries(outputs).map(([name, tensor]) => tensorEntry(2, name, tensor)),
      ),
    ),
  );
  const tags = field.message(1, field.string(4, 'serve'));
  const metaGraph = field.message(2, tags, field.bytes(2, encodeGraph(nodes)), ...entries);
  return message(field.int(1, 1), metaGraph);
}
