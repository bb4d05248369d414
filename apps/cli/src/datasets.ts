import { AppError, datasetRoutes } from '@mycloud/shared';
import type { Session } from './context.js';
import { checkedName } from './projects.js';
import { datasetRef } from './sources.js';

/** Finds a dataset of the caller's, or makes it. */
export async function ensureDataset(
  session: Session,
  text: string,
): Promise<{ owner: string; dataset: string }> {
  const { params } = await datasetRef(session, text);
  checkedName(params.dataset, 'dataset');
  try {
    await session.client.call(datasetRoutes.get, { params });
  } catch (error) {
    if (
      !(error instanceof AppError && error.code === 'not_found') ||
      params.owner !== (await session.me()).name
    )
      throw error;
    await session.client.call(datasetRoutes.create, { body: { name: params.dataset } });
  }
  return params;
}
