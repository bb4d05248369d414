// `npm run faults -- --rounds N --seed S [--at-once N] [--keep FILE] [--report FILE]`: the fault campaign of test/faults.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensure, root } from './ensure.mjs';

ensure();
const { status } = spawnSync(
  process.execPath,
  [
    '--conditions=mycloud-source',
    '--import',
    'tsx',
    path.join(root, 'test/faults/main.ts'),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
