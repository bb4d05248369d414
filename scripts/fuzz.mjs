// `npm run fuzz -- [--examples N] [--seed S]`: schemathesis sends more than 10,000 requests to a server of its own, against the
// OpenAPI description (apps/api/test/documented-answers.test.ts, which says what is asked of every answer).
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensure, root } from './ensure.mjs';

ensure();
const { values } = parseArgs({
  options: { examples: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' } },
});
const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'apps/api/test/documented-answers.test.ts'],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      MYCLOUD_TEST_STRICT: '1',
      MYCLOUD_FUZZ_EXAMPLES: values.examples,
      MYCLOUD_FUZZ_SEED: values.seed,
    },
  },
);
process.exitCode = status ?? 1;
