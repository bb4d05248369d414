// `node --conditions=mycloud-source --import tsx scripts/tfjs-node.ts FOLDER VENV`: puts tfjs-node into FOLDER, its
// binding built against the TensorFlow of a virtual environment, as a worker does for the environment `tensorflow`.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Pythons } from '../apps/worker/src/environments/pythons.js';
import { buildTfjsNode, tensorflowOf } from '../apps/worker/src/environments/tfjs-node.js';

const [folder, venv] = process.argv.slice(2);
if (!folder || !venv) {
  process.stderr.write('usage: tfjs-node.ts FOLDER VENV\n');
  process.exit(2);
}
const dir = path.resolve(folder);
const ready = path.join(dir, '.ready');
if (!existsSync(ready)) {
  rmSync(dir, { recursive: true, force: true });
  const searchPath = process.env.PATH ?? '';
  const python = await new Pythons(searchPath, (argv) => argv).ask(path.resolve(venv, 'bin/python'));
  const build = {
    dir,
    root: path.dirname(dir),
    path: searchPath,
    variables: {},
    sandbox: undefined,
    say: (line: string) => process.stderr.write(`${line}\n`),
    signal: new AbortController().signal,
  };
  await buildTfjsNode(
    dir,
    ['@tensorflow/tfjs-node@4.22.0'],
    tensorflowOf(python ? [python.site] : []),
    build,
  );
  writeFileSync(ready, '');
}
