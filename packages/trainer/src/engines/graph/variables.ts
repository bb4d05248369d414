import type { Signature, SignatureTensor } from '@mycloud/tfevents';
import type { BuiltLayer } from '../../network.js';
import type { Optimizer } from '../../optimizers.js';
import type { GraphBuilder, Value } from './graph-builder.js';
import { optimizerEmitters, type Place } from './optimizers.js';

interface Variable {
  handle: string;
  shape: number[];
}

/** A variable that lives as long as the session; a node reads or changes it by its handle. */
function variable(graph: GraphBuilder, name: string, shape: number[]): Variable {
  const attrs = {
    dtype: { type: 'float32' as const },
    shape: { shape },
    shared_name: { string: name },
  };
  return { handle: graph.add(name, 'VarHandleOp', [], attrs), shape };
}

const dtype = { dtype: { type: 'float32' as const } };

type Held = Place & {
  shape: number[];
  /** Where the gradients of a batch's shares are added up; it has a value from the first share on. */
  sum: string;
};

/** The weights of a network and the optimizer's slots as variables, and the signatures that read and write them. */
export function createVariables(graph: GraphBuilder, network: readonly BuiltLayer[], optimizer: Optimizer) {
  const places = new Map<BuiltLayer, Held[]>();
  const weights: Variable[] = [];
  const slots: Variable[] = [];
  const scratch: Variable[] = [];
  for (const built of network) {
    const ofLayer = built.specs.map(({ name, shape, moving }) => {
      const own = `${built.name}/${name}`;
      const weight = variable(graph, own, shape);
      weights.push(weight);
      const mine = Array.from({ length: moving ? 0 : optimizer.slots }, (_, s) =>
        variable(graph, `${own}/slot_${s}`, shape),
      );
      slots.push(...mine);
      const spare =
        optimizerEmitters[optimizer.name]!.scratch && !moving
          ? [variable(graph, `${own}/scratch`, shape)]
          : [];
      scratch.push(...spare);
      return {
        name: own,
        shape,
        weight: weight.handle,
        slots: mine.map((slot) => slot.handle),
        scratch: spare[0]?.handle ?? '',
        sum: variable(graph, `${own}/sum`, shape).handle,
      };
    });
    places.set(built, ofLayer);
  }

  /** A signature that assigns what it is fed, by the variables' names; `zeroed` become 0. */
  const assigning = (name: string, fed: Variable[], zeroed: Variable[]): Signature => {
    const inputs: Record<string, SignatureTensor> = {};
    const assign = (handle: string, value: string) =>
      graph.add(`${name}/${handle}/assign`, 'AssignVariableOp', [handle, value], dtype);
    const done = fed.map(({ handle, shape }) => {
      const value = graph.placeholder(`${name}/${handle}/value`, 'float32', shape);
      inputs[handle] = { name: `${value}:0`, type: 'float32', shape };
      return assign(handle, value);
    });
    for (const { handle, shape } of zeroed) {
      const dims = graph.ints(`${name}/${handle}/shape`, shape);
      const attrs = { index_type: { type: 'int32' as const } };
      done.push(
        assign(handle, graph.op(`${name}/${handle}/zeros`, 'Fill', [dims, graph.float('zero', 0)], attrs)),
      );
    }
    const end = graph.once(`${name}/done`, graph.float('zero', 0), done);
    return { inputs, outputs: { done: { name: `${end}:0`, type: 'float32', shape: [] } } };
  };

  return {
    place: (built: BuiltLayer, w: number): Held => places.get(built)![w]!,
    /** Nodes that read weights, one for each however often it is asked for. */
    read(scope: string) {
      const made = new Map<string, Value>();
      return (built: BuiltLayer, w: number): Value => {
        const { name, weight, shape } = places.get(built)![w]!;
        const known = made.get(name);
        if (known) return known;
        const ref = graph.add(`${scope}/${name}/read`, 'ReadVariableOp', [weight], dtype);
        const value: Value = { ref, shape, type: 'float32' };
        made.set(name, value);
        return value;
      };
    },
    signatures: () => ({
      weights: {
        inputs: {},
        outputs: Object.fromEntries(
          [...weights, ...slots].map(({ handle, shape }): [string, SignatureTensor] => {
            const ref = graph.add(`weights/${handle}/read`, 'ReadVariableOp', [handle], dtype);
            return [handle, { name: `${ref}:0`, type: 'float32', shape }];
          }),
        ),
      },
      start: assigning('start', weights, [...slots, ...scratch]),
      write: assigning('write', weights, []),
      restore: assigning('restore', [...weights, ...slots], []),
    }),
  };
}
