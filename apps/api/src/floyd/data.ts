import { AppError, floydRoutes as contract, datasetName, type FloydModule, jobName } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { findDataset, findVersion } from '../datasets/access.js';
import type { DatasetRow, VersionRow } from '../datasets/view.js';
import { addVersion, createDataset, deleteVersion } from '../datasets/write.js';
import type { Deps } from '../deps.js';
import type { Need } from '../http/owners.js';
import type { UserPrincipal } from '../http/principal.js';
import { serve } from '../http/route.js';
import { viewJob } from '../jobs/view.js';
import { readable } from '../snapshots/access.js';
import { findUpload, giveUpUpload, type UploadRow, uploadsOf } from '../uploads/uploads.js';
import { findNamedJob, isId, readName, unlessMissing } from './names.js';
import { sizeText } from './words.js';

const listed = 500;

/** The old floyd's words for data: versions of datasets, those on their way, and what jobs have. */
export function dataRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.dataset, async ({ params, caller }) => {
    const at = readName(params['*'], 'datasets', caller);
    const row = await findOwnDataset(deps, caller, at);
    return {
      id: datasetName(at.owner, at.name),
      name: at.name,
      description: row?.description ?? '',
      public: row?.public ?? false,
    };
  });

  serve(app, contract.allData, async ({ query, caller }) => {
    const at = readName(query.family_id, 'datasets', caller);
    const dataset = await findOwnDataset(deps, caller, at);
    if (!dataset) return [];
    const versions = await deps.db.datasetVersion.findMany({
      where: { datasetId: dataset.id },
      include: { snapshot: true },
      orderBy: { number: 'desc' },
      take: listed,
    });
    const coming = await uploadsOf(deps, dataset.id);
    return [...coming.map(uploadView), ...versions.map((version) => versionView(dataset, version))];
  });

  serve(
    app,
    contract.data,
    async ({ params, caller }) => (await findData(deps, caller, params['*'], 'read')).view,
  );

  serve(app, contract.deleteData, async ({ params, caller }) => {
    const data = await findData(deps, caller, params['*'], 'manage');
    if (data.upload) await giveUpUpload(deps, data.upload);
    else if (data.version) await deleteVersion(deps, data.version.dataset, data.version.number);
    else {
      throw new AppError('bad_request', `${data.view.name} is no version of a dataset`, {
        hint: 'To delete the output of a job, delete the job.',
      });
    }
    return {};
  });

  serve(app, contract.addData, async ({ params, body, caller }) => {
    const at = readName(params['*'], 'datasets', caller);
    const { view } = await findData(deps, caller, body.source, 'read');
    const dataset = await ensureDataset(deps, caller, at);
    const message = `from ${view.name}`;
    const { number } = await addVersion(deps, dataset, { snapshotId: view.resource_id, message });
    return { data_id: datasetName(at.owner, at.name, number) };
  });
}

const findOwnDataset = (deps: Deps, caller: UserPrincipal, at: { owner: string; name: string }) =>
  unlessMissing(deps, caller, at.owner, () =>
    findDataset(deps, caller, { owner: at.owner, dataset: at.name }, 'read'),
  );

/** As a project, a dataset of the caller's or of a team of his counts as being there before its first version makes it. */
export async function ensureDataset(
  deps: Deps,
  caller: UserPrincipal,
  at: { owner: string; name: string },
): Promise<DatasetRow> {
  const found = await unlessMissing(deps, caller, at.owner, () =>
    findDataset(deps, caller, { owner: at.owner, dataset: at.name }, 'write'),
  );
  return (
    found ?? createDataset(deps, caller, { owner: at.owner, name: at.name, description: '', public: false })
  );
}

interface FoundData {
  view: FloydModule;
  version?: { dataset: DatasetRow; number: number };
  upload?: UploadRow;
}

/**
 * `lab/datasets/cats/2`, without a number the newest; `lab/projects/cats/12/output` or `/code`; or the id of an upload. Of an
 * upload that is done, the version it became.
 * @throws AppError not_found
 */
async function findData(deps: Deps, caller: UserPrincipal, name: string, need: Need): Promise<FoundData> {
  if (isId(name)) return uploadOrVersion(deps, caller, await findUpload(deps, caller, name), need);
  const [owner = '', kind, dataset = '', number = '', ...more] = name.replace(/\/+$/, '').split('/');
  if (kind === 'projects') return { view: await partOfJob(deps, caller, name.replace(/\/+$/, '')) };
  if (kind !== 'datasets' || more.length > 0 || !/^([1-9]\d{0,8})?$/.test(number)) {
    throw new AppError('not_found', `there is no data "${name}"`, {
      hint: 'Write it as OWNER/datasets/NAME/VERSION or OWNER/projects/NAME/JOB/output.',
    });
  }
  const found = await findDataset(deps, caller, { owner: owner || caller.name, dataset }, need);
  if (number === '') {
    const [newest] = found.versions;
    if (newest) return versionFound(found, newest);
    throw new AppError('not_found', `${datasetName(found.owner.name, dataset)} has no version yet`);
  }
  const coming = (await uploadsOf(deps, found.id)).find((upload) => upload.number === Number(number));
  if (coming) return { view: uploadView(coming), upload: coming };
  return versionFound(found, await findVersion(deps, found, Number(number)));
}

const versionFound = (dataset: DatasetRow, version: VersionRow): FoundData => ({
  view: versionView(dataset, version),
  version: { dataset, number: version.number },
});

async function uploadOrVersion(
  deps: Deps,
  caller: UserPrincipal,
  upload: UploadRow,
  need: Need,
): Promise<FoundData> {
  if (upload.state !== 'done') return { view: uploadView(upload), upload };
  const dataset = await findDataset(deps, caller, { owner: upload.owner, dataset: upload.dataset }, need);
  return versionFound(dataset, await findVersion(deps, dataset, upload.number));
}

const versionView = (dataset: DatasetRow, row: VersionRow): FloydModule => {
  const name = datasetName(dataset.owner.name, dataset.name, row.number);
  return {
    id: name,
    name,
    module_type: 'DataModule',
    date_created: row.createdAt.toISOString(),
    description: row.message,
    data: { state: 'valid', size: sizeText(Number(row.snapshot.bytes)) },
    version: String(row.number),
    resource_id: row.snapshotId,
    public: dataset.public,
    command: '',
  };
};

/** While it comes it shows how far it is; its own id is what the client asks for its state by. */
const uploadView = (upload: UploadRow): FloydModule => ({
  id: upload.id,
  name: datasetName(upload.owner, upload.dataset, upload.number),
  module_type: 'DataModule',
  date_created: upload.createdAt.toISOString(),
  description: upload.detail || upload.message,
  data: {
    state: upload.state === 'receiving' ? 'uploading' : upload.state,
    size: sizeText(upload.received),
  },
  version: String(upload.number),
  resource_id: upload.id,
  public: upload.public,
  command: '',
});

async function partOfJob(deps: Deps, caller: UserPrincipal, asked: string): Promise<FloydModule> {
  const { job, part } = await findNamedJob(deps, caller, asked, 'read');
  const seen = await viewJob(deps, job.id);
  const { owner, name: project } = job.project;
  const name = `${jobName({ owner, project, number: job.number })}/${part}`;
  const snapshotId = part === 'code' ? seen.codeSnapshotId : seen.outputSnapshotId;
  if (!snapshotId) {
    throw new AppError('not_found', `${name} is not there`, { hint: `The job is ${seen.status}.` });
  }
  const { bytes } = await readable(deps, caller, snapshotId);
  return {
    id: name,
    name,
    module_type: 'DataModule',
    date_created: seen.finishedAt ?? seen.createdAt,
    description: seen.description,
    data: { state: 'valid', size: sizeText(Number(bytes)) },
    version: null,
    resource_id: snapshotId,
    public: job.project.public,
    command: seen.command,
  };
}
