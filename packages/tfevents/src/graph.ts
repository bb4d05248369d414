import { field, message } from './proto.js';

/** tensorflow.DataType by number. types.proto. */
export const dataTypes = {
  float32: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  bool: 10,
  bfloat16: 14,
  resource: 20,
} as const;
export type DataType = keyof typeof dataTypes;

/** An attribute of a node: its protobuf AttrValue by kind. */
export type GraphAttribute =
  | { string: string }
  | { int: number }
  | { ints: number[] }
  | { float: number }
  | { bool: boolean }
  | { type: DataType }
  | { shape: number[] }
  /** A constant: its values, little endian. */
  | { tensor: { type: DataType; shape: number[]; data: Float32Array | Int32Array } };

export interface GraphNode {
  /** Slashes group nodes: conv2d/kernel is drawn inside conv2d. */
  name: string;
  op: string;
  inputs: string[];
  attrs?: Record<string, GraphAttribute>;
}

/** The fields of a TensorShapeProto; an unknown size is −1. tensor_shape.proto. */
export const shapeFields = (shape: readonly number[]): Uint8Array[] =>
  shape.map((size) => field.message(2, field.int(1, size)));

function attribute(value: GraphAttribute): Uint8Array {
  if ('string' in value) return field.string(2, value.string);
  if ('int' in value) return field.int(3, value.int);
  if ('float' in value) return field.float(4, value.float);
  if ('bool' in value) return field.int(5, value.bool ? 1 : 0);
  if ('type' in value) return field.int(6, dataTypes[value.type]);
  if ('ints' in value) return field.message(1, ...value.ints.map((one) => field.int(3, one)));
  if ('shape' in value) return field.message(7, ...shapeFields(value.shape));
  const { type, shape, data } = value.tensor;
  return field.message(
    8,
    field.int(1, dataTypes[type]),
    field.message(2, ...shapeFields(shape)),
    field.bytes(4, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
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
