import type { FileEntry } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { fileBytes, fileUrl } from '../api/call.js';
import { bytesText } from '../ui/format.js';
import { ErrorNotice, Loading } from '../ui/notice.js';
import { parseCsv } from './csv.js';

/** Of a text only its beginning is got, and more when asked, up to the most a page should hold. */
const partBytes = 256 * 1024;
const mostBytes = 2 * 1024 * 1024;
const mostPicture = 30 * 1024 * 1024;
const mostRows = 500;

const endsWith = (name: string, ends: string) => new RegExp(`\\.(${ends})$`, 'i').test(name);
const isPicture = (name: string) => endsWith(name, 'png|jpe?g|gif|webp|bmp|avif|svg');

export function Preview({ snapshotId, file }: { snapshotId: string; file: FileEntry }) {
  return (
    <section className="preview" aria-label={`Preview of ${file.name}`}>
      <header>
        <h3>{file.name}</h3>
        <span className="dim number">{bytesText(file.size)}</span>
        <a className="button" href={fileUrl(snapshotId, file.path)} download={file.name}>
          <Download size={14} aria-hidden /> Download
        </a>
      </header>
      {file.size === 0 ? (
        <p className="dim">The file is empty.</p>
      ) : isPicture(file.name) ? (
        <Picture snapshotId={snapshotId} file={file} />
      ) : (
        <Text snapshotId={snapshotId} file={file} />
      )}
    </section>
  );
}

/** As an image only: what scripts an SVG holds don't run there. */
function Picture({ snapshotId, file }: { snapshotId: string; file: FileEntry }) {
  const [broken, setBroken] = useState(false);
  const svg = endsWith(file.name, 'svg');
  const blob = useSvg(snapshotId, file, svg);
  const src = svg ? blob : fileUrl(snapshotId, file.path);
  if (file.size > (svg ? mostBytes : mostPicture))
    return <p className="dim">Too large to be shown here; download it.</p>;
  if (broken) return <p className="dim">This is no picture that a browser can show.</p>;
  if (!src) return <Loading what="the picture" />;
  return <img className="picture" src={src} alt={file.name} onError={() => setBroken(true)} />;
}

/** The server gives SVG no type that a browser would draw; the page says itself that it is an image. */
function useSvg(snapshotId: string, file: FileEntry, svg: boolean): string | undefined {
  const [url, setUrl] = useState<string>();
  const found = useQuery({
    queryKey: ['svg', snapshotId, file.path],
    queryFn: () => fileBytes(snapshotId, file.path, 0, file.size - 1),
    enabled: svg && file.size <= mostBytes,
  });
  useEffect(() => {
    if (!found.data) return;
    const made = URL.createObjectURL(new Blob([found.data as BlobPart], { type: 'image/svg+xml' }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [found.data]);
  return url;
}

function Text({ snapshotId, file }: { snapshotId: string; file: FileEntry }) {
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
