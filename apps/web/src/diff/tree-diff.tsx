import type { TreeChange } from '@mycloud/shared/browser';
import { useInfiniteQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { changesQuery } from '../api/queries.js';
import { countText } from '../ui/format.js';
import { MoreButton } from '../ui/more-button.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { changeMarks, changeSizes } from '../ui/tree-change.js';
import '../styles/diff.css';

const FileDiff = lazy(() => import('./file-diff.js'));

/** So many files are opened by themselves. */
const opened = 5;

interface Props {
  before: string;
  after: string;
}

/** What differs between two snapshots, file by file; a file's lines are got when it is opened. */
export function TreeDiff({ before, after }: Props) {
  const found = useInfiniteQuery(changesQuery(after, before));
  if (found.error) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading what="the difference" />;
  const items = found.data.pages.flatMap((page) => page.items).filter(({ type }) => type !== 'dir');
  if (items.length === 0 && !found.hasNextPage) return <p className="dim">The same files.</p>;
  return (
    <>
      <p className="dim small">
        {countText(items.length, 'file')} {items.length === 1 ? 'differs' : 'differ'}
        {found.hasNextPage && ', and more'}.
      </p>
      <ul className="diff-files">
        {items.map((item, i) => (
          <li key={item.path}>
            <ChangedFile item={item} before={before} after={after} open={i < opened} />
          </li>
        ))}
      </ul>
      <MoreButton list={found} className="link">
        List more
      </MoreButton>
    </>
  );
}

function ChangedFile({ item, before, after, open }: Props & { item: TreeChange; open: boolean }) {
  const [seen, setSeen] = useState(open);
  return (
    <details
      className="diff-file"
      open={open}
      data-change={item.change}
      onToggle={(event) => event.currentTarget.open && setSeen(true)}
    >
      <summary>
        <b aria-hidden="true">{changeMarks[item.change]}</b>
        <span className="sr-only">{item.change}</span>
        <code>{item.path}</code>
        <span className="dim number">{[...new Set(changeSizes(item))].join(' → ')}</span>
      </summary>
      {seen && (
        <Suspense fallback={<Loading what="the lines" />}>
          <FileDiff item={item} before={before} after={after} />
        </Suspense>
      )}
    </details>
  );
}
