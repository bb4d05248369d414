import type { FileEntry } from '@mycloud/shared/browser';
import { Download } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { fileUrl } from '../api/call.js';
import { bytesText } from '../ui/format.js';
import { Loading } from '../ui/notice.js';
import { Picture } from './picture.js';
import { Text } from './text.js';

const Hdf5Preview = lazy(async () => ({ default: (await import('./hdf5/hdf5-preview.js')).Hdf5Preview }));
const EventsPreview = lazy(async () => ({
  default: (await import('./events/events-preview.js')).EventsPreview,
}));

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
      <Suspense fallback={<Loading what="the preview" />}>
        <Content snapshotId={snapshotId} file={file} />
      </Suspense>
    </section>
  );
}

/** By its name: what a file is called is what a person expects to see in it. */
function Content({ snapshotId, file }: { snapshotId: string; file: FileEntry }) {
  const { name, path, size } = file;
  if (size === 0) return <p className="dim">The file is empty.</p>;
  if (/\.(png|jpe?g|gif|webp|bmp|avif|svg)$/i.test(name))
    return <Picture snapshotId={snapshotId} file={file} />;
  if (/\.(h5|hdf5|he5)$/i.test(name)) return <Hdf5Preview snapshotId={snapshotId} path={path} size={size} />;
  if (name.includes('tfevents')) return <EventsPreview snapshotId={snapshotId} path={path} size={size} />;
  return <Text snapshotId={snapshotId} file={file} />;
}
