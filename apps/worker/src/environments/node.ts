import { createHash } from 'node:crypto';
import type { Environment } from '@mycloud/shared';
import type { Asker, HeldEnvironment } from './environment.js';
import { preparePython, type Workshop } from './python.js';
import { buildTfjsNode, downloadable, installTfjsNode, librariesOf, tensorflowOf } from './tfjs-node.js';

/**
 * tfjs-node for the trainer, which finds it by MYCLOUD_TFJS_NODE: as it installs itself where its download can be had,
 * and otherwise built against the wheel that `requirements` bring.
 */
export async function prepareTfjsNode(
  shop: Workshop,
  environment: Environment,
  asker: Asker,
): Promise<HeldEnvironment> {
  const { requirements, npm = [] } = environment;
  const { node, napi } = process.versions;
  const content = JSON.stringify([requirements, npm, process.arch, node.split('.')[0], napi]);
  const name = `tensorflow-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
  const { dir, release } = await shop.shelf.get(
    {
      name,
      environment: environment.name,
      packages: [...npm, ...requirements],
      async make(folder, all) {
        const build = { ...shop, dir: folder, ...all };
        if (await downloadable(all.signal)) {
          await installTfjsNode(folder, npm, build);
          return [];
        }
        build.say("tfjs-node's own download is out of reach: its binding is built against PyPI's TensorFlow");
        const python = await preparePython(shop, environment, null, all);
        try {
          await buildTfjsNode(folder, npm, tensorflowOf(python.sites), build);
          return python.folders;
        } finally {
          python.release();
        }
      },
    },
    asker,
  );
  // What was built against a wheel is linked to it, and the job must see that too.
  const readOnly = [dir, ...librariesOf(dir)];
  return { bins: [], readOnly, variables: { MYCLOUD_TFJS_NODE: dir }, folders: [name], release };
}
