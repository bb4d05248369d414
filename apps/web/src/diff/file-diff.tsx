import type { TreeChange } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fileBytes } from '../api/call.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { type DiffLine, lineDiff, textOf } from './text-diff.js';

/** Longer files are named and not got. */
const mostBytes = 256 * 1024;
const mostLines = 1000;

interface Props {
  item: TreeChange;
  before: string;
  after: string;
}

/** The lines of one file in which two snapshots differ. */
export default function FileDiff({ item, before, after }: Props) {
  const { path } = item;
  const tooLong = Math.max(item.before ?? 0, item.after ?? 0) > mostBytes;
  const found = useQuery({
    queryKey: ['file-diff', before, after, path],
    queryFn: async () => {
      const [a, b] = await Promise.all([read(before, path, item.before), read(after, path, item.after)]);
      return a === undefined || b === undefined
        ? { why: 'It is no text.' }
        : { lines: lineDiff(a, b), why: 'The two are too different to be set against each other here.' };
    },
    enabled: !tooLong && item.type === 'file',
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (item.type === 'symlink') return <p className="diff-word dim">A link.</p>;
  if (tooLong) return <p className="diff-word dim">Too long to be shown here.</p>;
  if (found.error) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading what="the lines" />;
  if (!found.data.lines) return <p className="diff-word dim">{found.data.why}</p>;
  if (found.data.lines.length === 0)
    return <p className="diff-word dim">The same text; its mode, or how it is kept, differs.</p>;
  return <Lines lines={found.data.lines} name={path} />;
}

async function read(snapshotId: string, path: string, size: number | null): Promise<string | undefined> {
  if (!size) return '';
  return textOf(await fileBytes(snapshotId, path, 0, size - 1));
}

const signs = { added: '+', removed: '−', same: ' ', gap: ' ' };

function Lines({ lines, name }: { lines: DiffLine[]; name: string }) {
  const [most, setMost] = useState(mostLines);
  return (
    <>
      <section className="diff-lines" aria-label={`Lines of ${name} that differ`} tabIndex={0}>
        {lines.slice(0, most).map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of two snapshots never change
          <div key={i} className={`diff-line diff-${line.kind}`}>
            <span className="diff-number">{line.before}</span>
            <span className="diff-number">{line.after}</span>
            <span className="diff-sign">{signs[line.kind]}</span>
            <span className="diff-text">{line.text}</span>
          </div>
        ))}
      </section>
      {lines.length > most && (
        <button type="button" className="link" onClick={() => setMost(most + mostLines)}>
          Show {Math.min(mostLines, lines.length - most).toLocaleString('en')} more lines
        </button>
      )}
    </>
  );
}
