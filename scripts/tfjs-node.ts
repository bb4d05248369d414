// `node --conditions=mycloud-source --import tsx scripts/tfjs-node.ts FOLDER VENV`: puts tfjs-node into FOLDER, its
// binding built against the TensorFlow of a virtual environment, as a worker does for the environment `tensorflow`.
import path from 'node:path';
import { buildOnce } from '../apps/worker/src/environments/build.js';
import { buildTfjsNode, tensorflowOf } from '../apps/worker/src/environments/tfjs-node.js';

const [folder, venv] = process.argv.slice(2);
if (!folder || !venv) {
  process.stderr.write('usage: tfjs-node.ts FOLDER VENV\n');
  process.exit(2);
}
const dir = path.resolve(folder);
const build = {
  root: path.dirname(dir),
  path: process.env.PATH ?? '',
  say: (line: string) => process.stderr.write(`${line}\n`),
  signal: new AbortController().signal,
};
await buildOnce(dir, build, () =>
  buildTfjsNode(dir, ['@tensorflow/tfjs-node@4.22.0'], tensorflowOf(path.resolve(venv)), build),
);
