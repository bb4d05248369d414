import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { TrainerError } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import { readLayer } from './layers.js';

const size = z.number().int().min(1);
const shape = z.tuple([z.null(), size, size, size]);
const layerSchema = z.object({
  class_name: z.string(),
  config: z.looseObject({
    name: z.string().optional(),
    batch_input_shape: shape.optional(),
    batch_shape: shape.optional(),
  }),
});
const modelSchema = z.object({
  class_name: z.literal('Sequential'),
  config: z.object({ layers: z.array(layerSchema).min(2) }),
});

/**
 * The layers of a model.json that `modelToJson` or Keras's `model.to_json()` wrote for a Sequential.
 * @throws TrainerError 'bad_model' with the line and what is wrong there.
 */
export function modelFromJson(text: string, file: string): Layer[] {
  const wrong = (offset: number, reason: string) => {
    const line = text.slice(0, offset).split('\n').length;
    return new TrainerError('bad_model', `${file}:${line}: ${reason}`, {
      hint: 'Give a model.json that train wrote, or model.to_json() of a Sequential in Keras 2.',
    });
  };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first || !root) {
    throw wrong(
      first?.offset ?? 0,
      `it is no JSON (${first ? printParseErrorCode(first.error) : 'it is empty'})`,
    );
  }
  const parsed = modelSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw wrong(...issueAt(root, parsed.error, []));

  const { layers } = parsed.data.config;
  let inputShape: number[] | undefined;
  const made: Layer[] = [];
  for (const [i, { class_name: className, config }] of layers.entries()) {
    const path = ['config', 'layers', i];
    const given = config.batch_input_shape ?? config.batch_shape;
    if (i === 0) {
      if (!given) throw wrong(offsetOf(root, path), 'the first layer has no batch_input_shape');
      inputShape = given.slice(1) as number[];
    }
    if (className === 'InputLayer') continue;
    const layer = readLayer(className, config);
    if ('issue' in layer) {
      throw typeof layer.issue === 'string'
        ? wrong(offsetOf(root, [...path, 'class_name']), layer.issue)
        : wrong(...issueAt(root, layer.issue, [...path, 'config']));
    }
    const named = config.name === undefined ? layer.layer : { ...layer.layer, name: config.name };
    made.push(made.length === 0 ? { ...named, inputShape } : named);
  }
  if (made.length === 0) throw wrong(offsetOf(root, ['config', 'layers']), 'it has no layers');
  return made;
}

type Path = (string | number)[];

/** Where the value at `path` begins; where it is missing, the nearest thing around it. */
function offsetOf(root: Node, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const found = findNodeAtLocation(root, path.slice(0, length));
    if (found) return found.offset;
  }
  return root.offset;
}

function issueAt(root: Node, error: z.ZodError, under: Path): [offset: number, reason: string] {
  const issue = error.issues[0]!;
  const inside = issue.path as Path;
  return [offsetOf(root, [...under, ...inside]), `${inside.at(-1) ?? 'it'}: ${issue.message}`];
}
