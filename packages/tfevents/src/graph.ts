import { field, message } from './proto.js';

/** An attribute of a node: its protobuf AttrValue by kind. */
export type GraphAttribute =
  | { string: string }
  | { int: number }
  | { float: number }
  | { bool: boolean }
  | { type: 'float32' | 'int32' | 'string' | 'bool' }
  | { shape: number[] };

export interface GraphNode {
  /** Slashes group nodes: conv2d/kernel is drawn inside conv2d. */
  name: string;
  op: string;
  inputs: string[];
  attrs?: Record<string, GraphAttribute>;
}

const types = { float32: 1, int32: 3, string: 7, bool: 10 };

function attribute(value: GraphAttribute): Uint8Array {
  if ('string' in value) return field.string(2, value.string);
  if ('int' in value) return field.int(3, value.int);
  if ('float' in value) return field.float(4, value.float);
  if ('bool' in value) return field.int(5, value.bool ? 1 : 0);
  if ('type' in value) return field.int(6, types[value.type]);
  return field.message(7, ...value.shape.map((size) => field.message(2, field.int(1, size))));
}

/** A tensorflow.GraphDef for `graph()`; an unknown size in a shape is −1. graph.proto, node_def.proto. */
export function encodeGraph(nodes: GraphNode[]): Uint8Array<ArrayBuffer> {
  const encoded = nodes.map(({ name, op, inputs, attrs = {} }) =>
    field.message(
      1,
      field.string(1, name),
      field.string(2, op),
      ...inputs.map((input) => field.string(3, input)),
      ...Object.entries(attrs).map(([key, value]) =>
        field.message(5, field.string(1, key), field.message(2, attribute(value))),
      ),
    ),
  );
  return message(...encoded, field.message(4, field.int(1, 22)));
}
