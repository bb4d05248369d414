import { datasetRoutes } from '@mycloud/shared';
import type { Session } from './context.js';
import { checkedName, isMissing } from './projects.js';
import { datasetRef } from './sources.js';

/** Finds a dataset, or makes it where it is the caller's or a team's of his. */
export async function ensureDataset(
  session: Session,
  text: string,
): Promise<{ owner: string; dataset: string }> {
  const { params } = await datasetRef(session, text);
  checkedName(params.dataset, 'dataset');
  try {
    await session.client.call(datasetRoutes.get, { params });
  } catch (error) {
    if (!isMissing(error)) throw error;
    await session.client
      .call(datasetRoutes.create, { body: { owner: params.owner, name: params.dataset } })
      .catch((refusal: unknown) => {
        throw isMissing(refusal) ? error : refusal;
      });
  }
  return params;
}
