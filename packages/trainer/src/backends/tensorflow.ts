import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type Backend, eagerBackend, type Tf } from './backend.js';
import { standardKernels } from './standard-kernels.js';

/** The older helpers of node:util that tfjs-node calls and Node 23 took away. */
interface OldUtil {
  isNullOrUndefined?: (value: unknown) => boolean;
  isArray?: (value: unknown) => boolean;
}

type Loaded = { backend: Backend } | { reason: string };

/**
 * Loads tfjs-node, the GPU's first, from where this package finds it or from the folder MYCLOUD_TFJS_NODE names.
 * It is an optional peer: that it isn't there is an answer, not an error.
 */
export async function loadTensorflow(env: NodeJS.ProcessEnv = process.env): Promise<Loaded> {
  const threads = availableParallelism();
  env.TF_ENABLE_ONEDNN_OPTS ??= '1'; // Two to three times as fast.
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const util = createRequire(import.meta.url)('node:util') as OldUtil;
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;

  const folder = env.MYCLOUD_TFJS_NODE;
  const from = createRequire(folder ? path.resolve(folder, 'package.json') : import.meta.url);
  const reasons: string[] = [];
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      const tf = from(name) as Tf & { version_core: string };
      await tf.ready();
      if (tf.getBackend() !== 'tensorflow') {
        reasons.push(`${name} started as ${tf.getBackend()}`);
        continue;
      }
      const description = `TensorFlow (${name}, tfjs ${tf.version_core})`;
      const facts = { name: 'tensorflow' as const, description, reason: '', threads };
      return { backend: eagerBackend(facts, { tf, kernels: standardKernels(tf) }) };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)) continue;
      reasons.push(`${name} doesn't load: ${message.split('\n')[0]}`);
    }
  }
  const where = folder ? `in ${folder} (MYCLOUD_TFJS_NODE)` : 'here';
  return { reason: reasons.join('; ') || `@tensorflow/tfjs-node is not installed ${where}` };
}
