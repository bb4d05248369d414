// `npm run test:cluster [-- FILE…]`: the end-to-end stories on a cluster in the place of `mycloud up`, all of them unless
// some are named; those that can't be told of one are left out, each for its reason.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ensure, root } from './ensure.mjs';

const noServer = 'reads files of the checkout and starts no server';
const ownServer = 'starts what it tells of by itself, with or without a cluster';
const leftOut = {
  'test/audit.test.ts': noServer,
  'test/cluster-files.test.ts': noServer,
  'test/commands-doc.test.ts': noServer,
  'test/container-images.test.ts': noServer,
  'test/docs-site.test.ts': noServer,
  'test/licences.test.ts': noServer,
  'test/paths.test.ts': noServer,
  'test/release.test.ts': noServer,
  'test/cluster.test.ts': ownServer,
  'test/package.test.ts': '`mycloud up` of the packed file, in an empty home',
  'test/upgrade.test.ts': '`mycloud up` on a home that the first release left',
  'test/restore.test.ts':
    'backs up the home of `mycloud up`; a bucket is backed up in apps/api/test/backup.test.ts',
  'test/services.test.ts': '`mycloud up` on a Redis and a MinIO that it is given',
  'test/uploads-survive.test.ts': 'chooses its store itself: a folder, and a MinIO that it kills',
  'test/floyd/uploads.test.ts': 'chooses its store itself, as above',
  'test/floyd/tutorial.test.ts': 'floyd-local, whose fixed ports `mycloud up --floyd-local` opens',
  'test/slurm.test.ts': 'a worker on the login node of a Slurm of its own',
  'test/monitoring.test.ts': 'finds ports and log lines in the folder of `mycloud up`',
  'test/doctor.test.ts': 'breaks the folder of `mycloud up`, its store and its login',
  'test/canaries.test.ts': 'searches all that `mycloud up` left in its home',
  'test/worker-joins.test.ts':
    'waits for the worker that joins to run the job, which the two others would; worker-2 of every cluster joins so',
  'test/web/cluster.test.ts': 'what the page says of one worker; a cluster has two',
};

const wrong = Object.keys(leftOut).filter((file) => !existsSync(path.join(root, file)));
if (wrong.length > 0) throw new Error(`left out, and not there: ${wrong.join(', ')}`);

ensure();
const stories = ['test', 'test/web', 'test/floyd']
  .flatMap((folder) => readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((file) => file.endsWith('.test.ts') && !(file in leftOut));
const named = process.argv.slice(2);
for (const [file, why] of Object.entries(leftOut)) {
  if (named.includes(file)) throw new Error(`${file} is left out: ${why}`);
  if (named.length === 0) process.stdout.write(`left out: ${file}: ${why}\n`);
}
// vitest takes a name as a part of a path: test/x.test.ts would be apps/api/test/x.test.ts too.
const files = (named.length > 0 ? named : stories).map((file) => path.join(root, file));
const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, MYCLOUD_TEST_ON: 'cluster' },
  },
);
process.exitCode = status ?? 1;
