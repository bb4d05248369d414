import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { Run, ThreadReady, ThreadReply, ThreadRequest, ThreadSetup } from './messages.js';

/** As much of tfjs-node's binding as a session takes (its binding/tfjs_binding.cc). Tensors are numbers it gave. */
interface Binding {
  TF_Version: string;
  TF_FLOAT: number;
  TF_INT32: number;
  isUsingGpuDevice(): boolean;
  createTensor(shape: number[], type: number, data: Float32Array | Int32Array): number;
  deleteTensor(tensor: number): void;
  tensorDataSync(tensor: number): Float32Array;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(session: number, inputs: number[], names: string, outputs: string): { id: number }[];
}

const port = parentPort!;
const { binding: file } = workerData as ThreadSetup;
// The binding alone: tfjs above it would take a second to load and isn't needed to run a graph.
const binding = createRequire(import.meta.url)(file) as Binding;

function run(session: number, { feeds, fetches }: Run): Float32Array[] {
  const inputs: number[] = [];
  let outputs: { id: number }[] = [];
  try {
    for (const { shape, data } of feeds) {
      const type = data instanceof Int32Array ? binding.TF_INT32 : binding.TF_FLOAT;
      inputs.push(binding.createTensor(shape, type, data));
    }
    outputs = binding.runSavedModel(session, inputs, feeds.map((feed) => feed.ref).join(), fetches.join());
    return outputs.map(({ id }) => binding.tensorDataSync(id));
  } finally {
    for (const id of inputs) binding.deleteTensor(id);
    for (const { id } of outputs) binding.deleteTensor(id);
  }
}

port.on('message', (request: ThreadRequest) => {
  const { id } = request;
  try {
    if ('load' in request) {
      port.postMessage({ id, session: binding.loadSavedModel(request.load, 'serve') } satisfies ThreadReply);
    } else if ('drop' in request) {
      binding.deleteSavedModel(request.drop);
      port.postMessage({ id } satisfies ThreadReply);
    } else {
      const values = request.runs.map((one) => run(request.session, one));
      const buffers = values.flat().map((one) => one.buffer as ArrayBuffer);
      port.postMessage({ id, values } satisfies ThreadReply, buffers);
    }
  } catch (error) {
    port.postMessage({ id, failed: (error as Error).message } satisfies ThreadReply);
  }
});

port.postMessage({ tensorflow: binding.TF_Version, gpu: binding.isUsingGpuDevice() } satisfies ThreadReady);
