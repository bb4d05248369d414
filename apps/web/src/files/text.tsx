import type { FileEntry } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fileBytes } from '../api/call.js';
import { bytesText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { parseCsv } from './csv.js';

/** Of a text only its beginning is got, and more when asked, up to the most a page should hold. */
const partBytes = 256 * 1024;
const mostBytes = 2 * 1024 * 1024;
const mostRows = 500;

const endsWith = (name: string, ends: string) => new RegExp(`\\.(${ends})$`, 'i').test(name);

export function Text({ snapshotId, file }: { snapshotId: string; file: FileEntry }) {
  const [wanted, setWanted] = useState(partBytes);
  const end = Math.min(wanted, file.size);
  const found = useQuery({
    queryKey: ['text', snapshotId, file.path, end],
    queryFn: () => fileBytes(snapshotId, file.path, 0, end - 1),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (old) => old,
  });
  if (found.error) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading what="the file" />;
  if (found.data.subarray(0, 8000).includes(0)) {
    return <p className="dim">A binary file: there is nothing to read in it here. Download it.</p>;
  }
  const text = new TextDecoder().decode(found.data);
  const whole = end === file.size;
  return (
    <>
      {!whole && (
        <p className="notice">
          The first {bytesText(end)} of {bytesText(file.size)}.
          {wanted < mostBytes ? (
            <button type="button" className="button" onClick={() => setWanted(wanted * 2)}>
              Show more
            </button>
          ) : (
            ' Download it to see all.'
          )}
        </p>
      )}
      {endsWith(file.name, 'csv|tsv') ? (
        <Table text={text} whole={whole} separator={endsWith(file.name, 'tsv') ? '\t' : ','} />
      ) : (
        <pre className="text" tabIndex={0}>
          {endsWith(file.name, 'json|ipynb') && whole ? pretty(text) : text}
        </pre>
      )}
    </>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It is shown as it is: what it says it is, it isn't.
    return text;
  }
}

function Table({ text, whole, separator }: { text: string; whole: boolean; separator: string }) {
  const parsed = parseCsv(text, separator, mostRows + 2);
  // The last row of a part may be cut.
  const rows = whole ? parsed : parsed.slice(0, -1);
  const [head = [], ...body] = rows;
  return (
    <div className="csv" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((cell, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns don't move
              <th key={i} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.slice(0, mostRows).map((row, y) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows don't move
            <tr key={y}>
              {row.map((cell, x) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns don't move
                <td key={x}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {body.length > mostRows && <p className="dim">The first {mostRows} rows.</p>}
    </div>
  );
}
