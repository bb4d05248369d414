import { AppError } from '@mycloud/shared/browser';
import { call } from '../api/call.js';

/** Makes a snapshot the next version of a dataset, which is made where there is none of that name yet. @throws AppError */
export async function addVersion(owner: string, dataset: string, snapshotId: string, message: string) {
  const params = { owner, dataset };
  const { items } = await call('GET /v1/datasets', { query: { owner, limit: 500 } });
  if (!items.some(({ name }) => name === dataset)) {
    await call('POST /v1/datasets', { body: { owner, name: dataset } }).catch((error: unknown) => {
      // Made meanwhile, or one of more than were listed.
      if (!(error instanceof AppError && error.code === 'conflict')) throw error;
    });
  }
  return call('POST /v1/datasets/:owner/:dataset/versions', { params, body: { snapshotId, message } });
}
