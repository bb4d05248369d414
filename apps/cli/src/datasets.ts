import {
  AppError,
  datasetName,
  datasetRoutes,
  nameSchema,
  parseSourceRef,
  type Version,
} from '@mycloud/shared';
import type { Session } from './context.js';

/** A dataset as a person names it, with its version where one is named. */
export async function datasetRef(session: Session, text: string) {
  const ref = parseSourceRef(text, (await session.me()).name);
  if (ref.kind !== 'dataset') throw new AppError('bad_request', `${text} names no dataset`);
  return { params: { owner: ref.owner, dataset: ref.name }, number: ref.number };
}

/** The version named, or the newest. */
export async function findVersion(session: Session, text: string): Promise<Version> {
  const { params, number } = await datasetRef(session, text);
  if (number !== undefined)
    return session.client.call(datasetRoutes.version, { params: { ...params, number } });
  const dataset = await session.client.call(datasetRoutes.get, { params });
  if (dataset.latest) return dataset.latest;
  throw new AppError('not_found', `${datasetName(params.owner, params.dataset)} has no version yet`, {
    hint: 'Run `mycloud data upload`.',
  });
}

/** Finds a dataset of the caller's, or makes it. */
export async function ensureDataset(
  session: Session,
  text: string,
): Promise<{ owner: string; dataset: string }> {
  const { params } = await datasetRef(session, text);
  const parsed = nameSchema.safeParse(params.dataset);
  if (!parsed.success)
    throw new AppError(
      'bad_request',
      `"${params.dataset}" is no name of a dataset: ${parsed.error.issues[0]?.message}`,
    );
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
