import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Environment } from '@mycloud/shared';
import { type Build, buildOnce } from './build.js';
import type { PreparedEnvironment } from './environment.js';
import { preparePython } from './python.js';
import { buildTfjsNode, downloadable, installTfjsNode, librariesOf, tensorflowOf } from './tfjs-node.js';

/**
 * tfjs-node for the trainer, which finds it by MYCLOUD_TFJS_NODE: as it installs itself where its download can be had,
 * and otherwise built against the wheel that `requirements` bring.
 */
export async function prepareTfjsNode(
  { requirements, npm = [] }: Pick<Environment, 'requirements' | 'npm'>,
  build: Build,
): Promise<PreparedEnvironment> {
  const { node, napi } = process.versions;
  const content = JSON.stringify([requirements, npm, process.arch, node.split('.')[0], napi]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const dir = path.join(build.root, `tensorflow-${hash}`);
  await buildOnce(dir, build, async () => {
    if (await downloadable(build.signal)) return installTfjsNode(dir, npm, build);
    build.say("tfjs-node's own download is out of reach: its binding is built against PyPI's TensorFlow");
    const python = await preparePython(requirements, build);
    await buildTfjsNode(dir, npm, tensorflowOf(python.dir), build);
  });
  // What was built against a wheel is linked to it, and the job must see that too.
  return { bins: [], readOnly: [dir, ...librariesOf(dir)], variables: { MYCLOUD_TFJS_NODE: dir } };
}
