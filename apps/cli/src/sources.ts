import {
  AppError,
  datasetName,
  datasetRoutes,
  type Job,
  jobName,
  jobRoutes,
  parseSourceRef,
  type Version,
} from '@mycloud/shared';
import type { Session } from './context.js';
import { folderDataset } from './folder.js';

/** Something files can be taken from. */
export interface Source {
  /** lab/datasets/dogsvscats/1, or lab/projects/dogsvscats/12/output */
  name: string;
  snapshotId: string;
  /** What a folder of it is called. */
  folder: string;
  /** Of its page, below the server's address. */
  page: string;
}

/** A dataset as a person names it, with its version where one is named. */
export async function datasetRef(session: Session, text: string) {
  const ref = parseSourceRef(text, (await session.me()).name);
  if (ref.kind !== 'dataset')
    throw new AppError('bad_request', `${text} names the output of a job, not a dataset`);
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

/** A version of a dataset, or the output of a job, in every form that --data takes. */
export async function findSource(session: Session, text: string): Promise<Source> {
  const ref = parseSourceRef(text, (await session.me()).name);
  if (ref.kind === 'dataset') {
    const { name, snapshotId } = await findVersion(session, text);
    return { name, snapshotId, folder: ref.name, page: `/${name}` };
  }
  const at = { owner: ref.owner, project: ref.name, number: ref.number ?? 0 };
  const job = await session.client.call(jobRoutes.get, { params: at });
  const name = jobName(at);
  return {
    name: `${name}/output`,
    snapshotId: outputOf(job),
    folder: `${ref.name}-${ref.number}-output`,
    page: `/${name}/files`,
  };
}

/** The snapshot of what a job wrote. @throws AppError not_found when there is none, or not yet */
export function outputOf(job: Job): string {
  if (job.outputSnapshotId) return job.outputSnapshotId;
  throw new AppError('not_found', `${job.name} has no output${job.finishedAt ? '' : ' yet'}`, {
    hint: job.finishedAt ? 'It wrote nothing to /output.' : 'It is saved every half minute, and at the end.',
  });
}

/** The dataset of this folder, for who names none. */
export async function datasetHere(): Promise<string> {
  const folder = await folderDataset();
  if (folder) return folder.owner ? datasetName(folder.owner, folder.name) : folder.name;
  throw new AppError('bad_request', 'which dataset? This folder belongs to none', {
    hint: 'Name it, or run `mycloud data init NAME` here.',
  });
}
