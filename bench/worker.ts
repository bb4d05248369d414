import { type Client, tokenRoutes, version, workerRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';

/** Registers a worker that offers gpu2 and does as the bench says, by the workers' own protocol. */
export async function benchWorker(client: Client): Promise<{ worker: Client; workerId: string }> {
  const { token } = await client.call(tokenRoutes.create, { body: { name: 'bench', kind: 'worker' } });
  const worker = createNodeClient({ url: client.url, token });
  const { workerId } = await worker.call(workerRoutes.register, {
    body: {
      name: 'bench',
      version,
      runner: 'process',
      machines: ['gpu2'],
      cores: 2,
      memoryBytes: 2 ** 32,
      gpus: 2,
    },
  });
  return { worker, workerId };
}
