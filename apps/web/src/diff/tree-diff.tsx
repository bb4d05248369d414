import type { TreeChange } from '@mycloud/shared/browser';
import { useInfiniteQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { changesQuery } from '../api/queries.js';
import { bytesText, countText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import '../styles/diff.css';

const FileDiff = lazy(() => import('./file-diff.js'));

/** So many files are opened by themselves. */
const opened = 5;
const marks = { added: '+', removed: '−', changed: '~' };

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
      {found.hasNextPage && (
        <button type="button" className="link" onClick={() => found.fetchNextPage()}>
          List more
        </button>
      )}
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
        <b aria-hidden="true">{marks[item.change]}</b>
        <span className="sr-only">{item.change}</span>
        <code>{item.path}</code>
        <span className="dim number">{sizesText(item)}</span>
      </summary>
      {seen && (
        <Suspense fallback={<Loading what="the lines" />}>
          <FileDiff item={item} before={before} after={after} />
        </Suspense>
      )}
    </details>
  );
}

function sizesText({ before, after }: TreeChange): string {
  const sizes = [before, after].filter((size) => size !== null);
  return [...new Set(sizes.map(bytesText))].join(' → ');
}
