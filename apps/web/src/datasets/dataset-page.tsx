import type { Version } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { Link, NavLink, useParams } from 'react-router';
import { datasetQuery, versionsQuery } from '../api/queries.js';
import { useRights } from '../api/rights.js';
import { Explorer } from '../files/explorer.js';
import { CopyText } from '../ui/copy.js';
import { bytesText, countText, fullTime, timeText } from '../ui/format.js';
import { useHead } from '../ui/head.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { Changes } from './changes.js';
import { ClassPictures } from './class-pictures.js';
import { DeleteDataset, DeleteVersion } from './delete.js';
import { DropFolder } from './upload/drop-folder.js';
import { Uses } from './uses.js';

/** A dataset's versions; of the chosen one the pictures of each class, and all files. */
export function DatasetPage() {
  const { owner = '', dataset = '', version } = useParams();
  useHead(`${owner}/${dataset}`);
  const found = useQuery(datasetQuery(owner, dataset));
  const versions = useQuery(versionsQuery(owner, dataset));
  const rights = useRights(owner);
  const error = found.error ?? versions.error;
  const items = versions.data?.items ?? [];
  const chosen = version ? items.find(({ number }) => String(number) === version) : items[0];
  const base = `/${owner}/datasets/${dataset}`;
  return (
    <div className="page">
      <div className="page-head">
        <p className="crumbs">
          <Link to="/datasets">Datasets</Link> / {owner}
        </p>
        <h1>{dataset}</h1>
        {found.data?.description && <p className="job-text">{found.data.description}</p>}
      </div>
      {rights.submit && <DropFolder owners={[owner]} dataset={dataset} />}
      {error && <ErrorNotice error={error} retry={() => void versions.refetch()} />}
      {versions.isPending && !error && <Loading what="versions" />}
      {versions.data && items.length === 0 && (
        <Empty title="No version yet" commands={[`mycloud data upload ${dataset} --dir FOLDER`]} />
      )}
      {items.length > 0 && (
        <nav className="versions" aria-label="Versions">
          {items.map((one, i) => (
            <VersionLink
              key={one.id}
              version={one}
              to={`${base}/${one.number}`}
              current={!version && i === 0}
            />
          ))}
        </nav>
      )}
      {versions.data && version && !chosen && <Empty title={`There is no version ${version}`} />}
      {chosen && (
        <>
          <VersionFacts version={chosen} />
          <CopyText
            text={`mycloud run --data ${chosen.name}:input COMMAND`}
            label="Copy the command that mounts it"
          />
          <ClassPictures key={`pictures ${chosen.snapshotId}`} snapshotId={chosen.snapshotId} />
          <h2 className="section-title">Files</h2>
          <Explorer
            key={chosen.snapshotId}
            snapshotId={chosen.snapshotId}
            root={`${dataset}/${chosen.number}`}
            name={chosen.name}
            owner={owner}
          />
          <h2 className="section-title">Changes</h2>
          <Changes key={chosen.id} version={chosen} versions={items} />
          <h2 className="section-title">Used by</h2>
          <Uses key={`uses ${chosen.id}`} owner={owner} dataset={dataset} number={chosen.number} />
          {rights.remove && (
            <p>
              <DeleteVersion owner={owner} dataset={dataset} version={chosen} />
            </p>
          )}
        </>
      )}
      {rights.remove && found.data && (
        <p>
          <DeleteDataset owner={owner} dataset={dataset} />
        </p>
      )}
    </div>
  );
}

function VersionFacts({ version }: { version: Version }) {
  const facts = [
    ['Files', version.files.toLocaleString('en')],
    ['Size', bytesText(version.bytes)],
    // What chunks of it are the same is stored once.
    ['Stored', bytesText(version.storedBytes)],
    ['Made', fullTime(version.createdAt)],
    ['Content', version.snapshot.slice(0, 12)],
  ];
  return (
    <>
      {version.message && <p className="job-text">{version.message}</p>}
      <dl className="facts">
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd className="number">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function VersionLink({ version, to, current }: { version: Version; to: string; current: boolean }) {
  return (
    <NavLink to={to} className={({ isActive }) => (isActive || current ? 'version active' : 'version')} end>
      <b>Version {version.number}</b>
      <span>
        {countText(version.files, 'file')} · {bytesText(version.bytes)}
      </span>
      <small className="dim">{version.message || timeText(version.createdAt, Date.now())}</small>
    </NavLink>
  );
}
