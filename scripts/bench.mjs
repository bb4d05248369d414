// `npm run bench -- NAME…`: prints one JSON line a figure, {bench, name, value, unit, peer?, peerValue?, ratio?}.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ensure, root } from './ensure.mjs';

ensure();
const known = readdirSync(path.join(root, 'bench'))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));
const names = process.argv.slice(2);
if (names.length === 0 || names.some((name) => !known.includes(name))) {
  process.stderr.write(`usage: npm run bench -- NAME…   (there are: ${known.join(', ')})\n`);
  process.exit(2);
}
for (const name of names) {
  const { status } = spawnSync(
    process.execPath,
    ['--conditions=mycloud-source', '--import', 'tsx', path.join(root, 'bench', `${name}.bench.ts`)],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}
