import type { ChangedPath } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { snapshotDiffQuery } from '../api/queries.js';
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
  const found = useQuery(snapshotDiffQuery(before, after));
  if (found.error) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading what="the difference" />;
  const { total, items } = found.data;
  if (total === 0) return <p className="dim">The same files.</p>;
  return (
    <>
      <p className="dim small">
        {countText(total, 'file')} {total === 1 ? 'differs' : 'differ'}
        {items.length < total && `; the first ${items.length.toLocaleString('en')} are listed`}.
      </p>
      <ul className="diff-files">
        {items.map((item, i) => (
          <li key={item.path}>
            <ChangedFile item={item} before={before} after={after} open={i < opened} />
          </li>
        ))}
      </ul>
    </>
  );
}

function ChangedFile({ item, before, after, open }: Props & { item: ChangedPath; open: boolean }) {
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

function sizesText({ before, after }: ChangedPath): string {
  const sizes = [before, after].filter((size) => size !== null);
  return [...new Set(sizes.map(bytesText))].join(' → ');
}
