import { createRequire } from 'node:module';
import { TrainerError } from '../errors.js';
import { type Backend, eagerBackend, type Tf } from './backend.js';
import { standardKernels } from './standard-kernels.js';
import { findTfjsNode, tuneTensorflow } from './tfjs-node.js';

/** The older helpers of node:util that tfjs-node calls and Node 23 took away. */
interface OldUtil {
  isNullOrUndefined?: (value: unknown) => boolean;
  isArray?: (value: unknown) => boolean;
}

/**
 * TensorFlow op by op through the whole of tfjs-node: half as fast as the graph, which is checked against it.
 * @throws TrainerError 'backend_unavailable'
 */
export async function eagerTensorflow(env: NodeJS.ProcessEnv = process.env): Promise<Backend> {
  const threads = tuneTensorflow(env);
  const util = createRequire(import.meta.url)('node:util') as OldUtil;
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  const { found, reasons } = findTfjsNode(env);
  const [first] = found;
  if (!first) throw new TrainerError('backend_unavailable', reasons.join('; '));
  const tf = first.require(first.name) as Tf & { version_core: string };
  // Another copy of tfjs in this process shares the choice.
  if (!(await tf.setBackend('tensorflow'))) {
    throw new TrainerError('backend_unavailable', `${first.name} doesn't start`);
  }
  const description = `TensorFlow, op by op (${first.name}, tfjs ${tf.version_core})`;
  return eagerBackend(
    { name: 'tensorflow', description, reason: 'asked for', threads },
    { tf, kernels: standardKernels(tf) },
  );
}
