import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';

/** tfjs-node as it is installed: an optional peer, so that it isn't there is an answer, not an error. */
export interface TfjsNode {
  name: string;
  version: string;
  /** tfjs_binding.node; libtensorflow is linked to it. */
  binding: string;
  require: NodeJS.Require;
}

/**
 * Finds tfjs-node, the GPU's first, where this package finds it or in the folder MYCLOUD_TFJS_NODE names; also what
 * was found and can't be used.
 */
export function findTfjsNode(env: NodeJS.ProcessEnv): { found: TfjsNode[]; reasons: string[] } {
  const folder = env.MYCLOUD_TFJS_NODE;
  const from = createRequire(folder ? path.resolve(folder, 'package.json') : import.meta.url);
  const found: TfjsNode[] = [];
  const reasons: string[] = [];
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      const manifest = from.resolve(`${name}/package.json`);
      const { version, binary } = from(manifest) as Manifest;
      const built = binary.napi_versions
        .filter((napi) => napi <= Number(process.versions.napi))
        .sort((a, b) => b - a)
        .map((napi) => path.join(path.dirname(manifest), `lib/napi-v${napi}/tfjs_binding.node`))
        .find(existsSync);
      if (built) found.push({ name, version, binding: built, require: from });
      else reasons.push(`${name} has no binding built for this Node`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  const where = folder ? `in ${folder} (MYCLOUD_TFJS_NODE)` : 'here';
  if (found.length + reasons.length === 0) reasons.push(`@tensorflow/tfjs-node is not installed ${where}`);
  return { found, reasons };
}

interface Manifest {
  version: string;
  binary: { napi_versions: number[] };
}

/**
 * What TensorFlow reads from the environment when it starts, unless it is set already; it can't be told otherwise.
 * @returns how many threads it computes with
 */
export function tuneTensorflow(env: NodeJS.ProcessEnv): number {
  env.TF_ENABLE_ONEDNN_OPTS ??= '1'; // Two to three times as fast.
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  env.TF_NUM_INTRAOP_THREADS ??= String(availableParallelism());
  env.TF_NUM_INTEROP_THREADS ??= env.TF_NUM_INTRAOP_THREADS;
  return Number(env.TF_NUM_INTRAOP_THREADS);
}
