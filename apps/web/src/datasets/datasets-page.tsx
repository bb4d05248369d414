import type { Dataset } from '@mycloud/shared/browser';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { datasetsQuery } from '../api/queries.js';
import { useWritableOwners } from '../api/rights.js';
import { bytesText, countText, timeText } from '../ui/format.js';
import { useHead } from '../ui/head.js';
import { MoreButton } from '../ui/more-button.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { DropFolder } from './upload/drop-folder.js';

export function DatasetsPage() {
  useHead('Datasets');
  const owners = useWritableOwners();
  const found = useInfiniteQuery(datasetsQuery);
  const items = found.data?.pages.flatMap((page) => page.items);
  return (
    <div className="page">
      <h1>Datasets</h1>
      {owners.length > 0 && <DropFolder owners={owners} />}
      {found.error && !items && <ErrorNotice error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <Loading what="datasets" />}
      {items?.length === 0 && (
        <Empty title="No datasets yet" commands={['mycloud data upload NAME --dir FOLDER']}>
          Drop a folder here, or upload one by the command line, and jobs can mount it:
        </Empty>
      )}
      {items && items.length > 0 && (
        <ul className="cards">
          {items.map((dataset) => (
            <DatasetCard key={dataset.id} dataset={dataset} />
          ))}
        </ul>
      )}
      <MoreButton list={found}>More datasets</MoreButton>
    </div>
  );
}

function DatasetCard({ dataset }: { dataset: Dataset }) {
  const { latest } = dataset;
  return (
    <li className="card">
      <h2>
        <Link to={`/${dataset.owner}/datasets/${dataset.name}`} className="card-link">
          <span className="dim">{dataset.owner}/</span>
          {dataset.name}
        </Link>
      </h2>
      {dataset.description && <p>{dataset.description}</p>}
      <p className="dim">
        {latest
          ? `version ${latest.number} · ${countText(latest.files, 'file')} · ${bytesText(latest.bytes)} · ${timeText(latest.createdAt, Date.now())}`
          : 'no version yet'}
        {dataset.public && ' · public'}
      </p>
    </li>
  );
}
