import { Dataset, File, type Group } from 'jsfive';

export interface Hdf5Node {
  /** /dense_1/kernel:0 */
  path: string;
  depth: number;
  kind: 'group' | 'dataset';
  attributes: { name: string; text: string }[];
  /** Of a dataset. */
  shape?: number[];
  type?: string;
  /** Few enough values to be shown. */
  values?: string;
}

export interface Hdf5Tree {
  nodes: Hdf5Node[];
  datasets: number;
  /** Of all datasets of numbers. */
  numbers: number;
  /** There is more in the file than is listed. */
  more: boolean;
}

const mostNodes = 3000;
const mostDepth = 32;
const mostText = 20_000;
const mostValues = 16;

/**
 * Lists what an HDF5 file holds: groups, datasets with shape and type, attributes, small values.
 * @throws Error for bytes that are no HDF5 file, or one of a kind that jsfive can't read
 */
export function readHdf5(bytes: ArrayBuffer): Hdf5Tree {
  const tree: Hdf5Tree = { nodes: [], datasets: 0, numbers: 0, more: false };
  visit(tree, openFile(bytes), '/', 0);
  return tree;
}

function openFile(bytes: ArrayBuffer): File {
  try {
    return new File(bytes);
  } catch (cause) {
    throw new Error(`This can’t be read as HDF5: ${wordOf(cause)}.`, { cause });
  }
}

function visit(tree: Hdf5Tree, item: Group | Dataset, path: string, depth: number): void {
  if (tree.nodes.length >= mostNodes || depth > mostDepth) {
    tree.more = true;
    return;
  }
  const attributes = attributesOf(item);
  if (item instanceof Dataset) {
    tree.nodes.push({ path, depth, kind: 'dataset', attributes, ...describe(tree, item) });
    return;
  }
  tree.nodes.push({ path, depth, kind: 'group', attributes });
  for (const name of item.keys) {
    const below = `${path === '/' ? '' : path}/${name}`;
    try {
      const child = item.get(name);
      if (child) visit(tree, child, below, depth + 1);
    } catch (error) {
      tree.nodes.push({
        path: below,
        depth: depth + 1,
        kind: 'dataset',
        attributes: [],
        type: `can’t be read: ${wordOf(error)}`,
      });
    }
  }
}

function describe(tree: Hdf5Tree, item: Dataset): Pick<Hdf5Node, 'shape' | 'type' | 'values'> {
  const { shape, dtype } = item;
  const type = typeWord(dtype);
  const count = shape.reduce((product, size) => product * size, 1);
  tree.datasets += 1;
  if (/int|float/.test(type)) tree.numbers += count;
  if (count > mostValues) return { shape, type };
  try {
    return { shape, type, values: textOf(item.value) };
  } catch {
    // Packed in a way that isn't known here: what it is called and how large it is can be told all the same.
    return { shape, type };
  }
}

function attributesOf(item: Group | Dataset): Hdf5Node['attributes'] {
  try {
    return Object.entries(item.attrs).map(([name, value]) => ({ name, text: textOf(value) }));
  } catch (error) {
    return [{ name: 'attributes', text: `can’t be read: ${wordOf(error)}` }];
  }
}

/** `<f4` is a float32, `|S12` a string of 12 bytes. */
function typeWord(dtype: Dataset['dtype']): string {
  if (typeof dtype !== 'string') return dtype[0] === 'VLEN_STRING' ? 'string' : 'compound';
  const [, letter = '', bytes = ''] = /^[<>|=]?([a-zA-Z])(\d+)$/.exec(dtype) ?? [];
  const number = { f: 'float', i: 'int', u: 'uint' }[letter];
  if (number) return `${number}${Number(bytes) * 8}`;
  return letter === 'S' ? `string of ${bytes} bytes` : dtype;
}

function textOf(value: unknown): string {
  const text =
    Array.isArray(value) || ArrayBuffer.isView(value) ? [...(value as [])].join(', ') : String(value);
  // Strings of a fixed length are filled up with NULs.
  const read = text.replaceAll('\0', '');
  return read.length > mostText ? `${read.slice(0, mostText)}…` : read;
}

/** jsfive throws words as well as errors. */
const wordOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
