// `npm run docs`: build/docs, the documentation as a site that needs no server and no net. `-- --serve` shows it.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildSite } from './build.js';
import { serveFolder } from './serve.js';

const root = path.resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(root, 'build/docs') },
    serve: { type: 'boolean', default: false },
    port: { type: 'string', default: '7080' },
  },
});

const out = path.resolve(values.out);
const broken = buildSite(root, out);
for (const one of broken) process.stderr.write(`${one}\n`);
if (broken.length > 0) process.exitCode = 1;
process.stdout.write(`${path.join(out, 'index.html')}\n`);
if (values.serve) process.stdout.write(`${await serveFolder(out, Number(values.port))}\n`);
