import type { TreeChange, Version } from '@mycloud/shared/browser';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { changesQuery } from '../api/queries.js';
import { useSetInAddress } from '../ui/address.js';
import { bytesText, countText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { changeMarks, changeSizes } from '../ui/tree-change.js';
import { VirtualList } from '../ui/virtual-list.js';

const rowHeight = 30;

/** What a version has more, less or other than one that is chosen, the one before at first. */
export function Changes({ version, versions }: { version: Version; versions: readonly Version[] }) {
  const [search] = useSearchParams();
  const set = useSetInAddress<'since'>();
  const others = versions.filter((one) => one.id !== version.id);
  const before = others.find(({ number }) => number < version.number) ?? others[0];
  const since = others.find(({ number }) => String(number) === search.get('since')) ?? before;
  if (!since) return <p className="dim">There is no other version.</p>;
  return (
    <>
      <label className="since">
        since version{' '}
        <select value={since.number} onChange={({ target }) => set('since', target.value)}>
          {others.map(({ id, number }) => (
            <option key={id} value={number}>
              {number}
            </option>
          ))}
        </select>
      </label>
      <ChangeList key={since.id} snapshotId={version.snapshotId} since={since.snapshotId} />
    </>
  );
}

function ChangeList({ snapshotId, since }: { snapshotId: string; since: string }) {
  const found = useInfiniteQuery(changesQuery(snapshotId, since));
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  const totals = found.data?.pages[0];
  if (found.error) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!totals) return <Loading what="what changed" />;
  if (items.length === 0) return <p className="dim">Nothing: both hold the same.</p>;
  return (
    <div className="changes">
      <p>
        {(['added', 'removed', 'changed'] as const).map((change) => (
          <span key={change} data-change={change}>
            <b>{changeMarks[change]}</b> {countText(totals[change].paths, 'path')} {change},{' '}
            {bytesText(totals[change].bytes)}
          </span>
        ))}
      </p>
      <VirtualList
        items={items}
        rowHeight={rowHeight}
        keyOf={(item) => item.path}
        label="What changed"
        onEnd={() => {
          if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
        }}
      >
        {(item) => <Change item={item} />}
      </VirtualList>
    </div>
  );
}

function Change({ item }: { item: TreeChange }) {
  const { path, type, change } = item;
  return (
    <span className="change" data-change={change}>
      <b aria-hidden>{changeMarks[change]}</b>
      <span className="sr-only">{change}</span>
      <code title={path}>
        {path}
        {type === 'dir' && '/'}
      </code>
      <small className="dim number">{type === 'file' && changeSizes(item).join(' → ')}</small>
    </span>
  );
}
