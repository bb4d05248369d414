import { GraphEngine } from '../engines/graph/engine.js';
import { startTensorflow } from '../engines/graph/thread.js';
import { TrainerError } from '../errors.js';
import type { Backend, Precision } from './backend.js';
import { bfloat16Refusal, cpuInfo } from './precision.js';
import { findTfjsNode, tuneTensorflow } from './tfjs-node.js';

type Loaded = { backend: Backend } | { reason: string };

/**
 * Starts TensorFlow in a thread of its own, through tfjs-node's binding; a training step is one graph there.
 * @throws TrainerError 'backend_unavailable' where this CPU doesn't compute in that precision
 */
export async function loadTensorflow(
  precision: Precision = 'f32',
  env: NodeJS.ProcessEnv = process.env,
): Promise<Loaded> {
  const { found, reasons } = findTfjsNode(env);
  const threads = tuneTensorflow(env);
  for (const { name, version, binding } of found) {
    try {
      const thread = await startTensorflow({ binding });
      const refusal = precision === 'bf16' && !thread.gpu ? bfloat16Refusal(await cpuInfo()) : undefined;
      if (refusal) throw refusal;
      const device = thread.gpu ? 'GPU' : 'CPU';
      const description = `TensorFlow ${thread.tensorflow} on the ${device} (${name} ${version})`;
      return {
        backend: {
          name: 'tensorflow',
          engine: 'graph',
          precision,
          description,
          reason: reasons.join('; '),
          threads,
          open: (plan) => GraphEngine.open(plan, thread, precision === 'bf16' ? 'bfloat16' : 'float32'),
        },
      };
    } catch (error) {
      if (error instanceof TrainerError) throw error;
      reasons.push(`${name} doesn't load: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  return { reason: reasons.join('; ') };
}
