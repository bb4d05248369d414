import type { DataType, GraphAttribute, GraphNode } from '@mycloud/tfevents';

type Attributes = Record<string, GraphAttribute>;
/** What pictures and weights may be: bfloat16 only inside the convolutions, with `--precision bf16`. */
export type Float = Extract<DataType, 'float32' | 'bfloat16'>;

/** A tensor of the graph: `node` or `node:output`; its shape has no batch dimension. */
export interface Value {
  ref: string;
  shape: number[];
  type: Float;
}

/** Collects a TensorFlow graph's nodes under names that are unique. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  private readonly taken = new Map<string, number>();

  /** Adds a node; its first output is called as the node is, the next `name:1`. An input `^name` is only waited for. */
  add(name: string, op: string, inputs: string[], attrs: Attributes = {}): string {
    const before = this.taken.get(name) ?? 0;
    this.taken.set(name, before + 1);
    const unique = before === 0 ? name : `${name}_${before}`;
    this.nodes.push({ name: unique, op, inputs, attrs });
    return unique;
  }

  /** An op over float32 (or `type`) tensors. */
  op(name: string, op: string, inputs: string[], attrs: Attributes = {}, type: DataType = 'float32'): string {
    return this.add(name, op, inputs, { T: { type }, ...attrs });
  }

  placeholder(name: string, type: DataType, shape: number[]): string {
    return this.add(name, 'Placeholder', [], { dtype: { type }, shape: { shape } });
  }

  ints(name: string, values: number[], shape = [values.length]): string {
    const tensor = { type: 'int32' as const, shape, data: Int32Array.from(values) };
    return this.add(name, 'Const', [], { dtype: { type: 'int32' }, value: { tensor } });
  }

  /** A scalar; one node for all who ask for the same name. */
  float(name: string, value: number): string {
    return this.floats(name, [value], []);
  }

  /** A constant; one node for all who ask for the same name. */
  floats(name: string, values: number[], shape = [values.length]): string {
    if (this.taken.has(name)) return name;
    const tensor = { type: 'float32' as const, shape, data: Float32Array.from(values) };
    return this.add(name, 'Const', [], { dtype: { type: 'float32' }, value: { tensor } });
  }

  /** The same tensor as `type`: itself where it is that already. */
  cast(name: string, value: Value, type: Float): Value {
    if (value.type === type) return value;
    const ref = this.add(name, 'Cast', [value.ref], { SrcT: { type: value.type }, DstT: { type } });
    return { ...value, ref, type };
  }

  reshape(name: string, ref: string, shape: number[]): string {
    return this.op(name, 'Reshape', [ref, this.ints(`${name}/shape`, shape)], { Tshape: { type: 'int32' } });
  }

  /** The tensor's shape as int32, known when the graph runs. */
  shapeOf(name: string, { ref, type }: Pick<Value, 'ref' | 'type'>): string {
    return this.op(name, 'Shape', [ref], { out_type: { type: 'int32' } }, type);
  }

  /** The two numbers of an int32 [2], each as [1]. */
  halves(name: string, ref: string): [string, string] {
    const [axis, halves] = [this.ints(`${name}/axis`, [0], []), { num_split: { int: 2 } }];
    const split = this.op(`${name}/Split`, 'Split', [axis, ref], halves, 'int32');
    return [split, `${split}:1`];
  }

  /** int32 lists one after the other. */
  join(name: string, parts: string[]): string {
    const inputs = [...parts, this.ints(`${name}/axis`, [0], [])];
    return this.op(name, 'ConcatV2', inputs, { N: { int: parts.length }, Tidx: { type: 'int32' } }, 'int32');
  }

  /** The mean over the dimensions `over`. */
  mean(name: string, ref: string, over: number[]): string {
    const indices = this.ints(`${name}/over`, over);
    return this.op(name, 'Mean', [ref, indices], { Tidx: { type: 'int32' }, keep_dims: { bool: false } });
  }

  /** `ref` again, once all of `after` ran. */
  once(name: string, ref: string, after: string[], type: DataType = 'float32'): string {
    return this.op(name, 'Identity', [ref, ...after.map((node) => `^${node}`)], {}, type);
  }
}
