import type { UploadProgress } from '@mycloud/snapshots/browser';
import { X } from 'lucide-react';
import { Link } from 'react-router';
import { bytesText } from '../../ui/format.js';
import { dismissUpload, type Upload, useUpload } from './upload.js';

/** How an upload stands, at the foot of whatever page is shown. */
export function UploadBar() {
  const upload = useUpload();
  if (!upload) return null;
  const busy = upload.type === 'starting' || upload.type === 'progress';
  return (
    <section className="upload-bar" aria-label={`Upload to ${upload.dataset}`}>
      <div className="upload-says">
        <Says upload={upload} />
      </div>
      {busy ? (
        <button type="button" className="button" onClick={dismissUpload}>
          Cancel
        </button>
      ) : (
        <button type="button" className="icon-button" aria-label="Close" onClick={dismissUpload}>
          <X size={16} aria-hidden />
        </button>
      )}
    </section>
  );
}

function Says({ upload }: { upload: Upload }) {
  if (upload.type === 'starting') return <p role="status">Beginning to upload {upload.dataset}…</p>;
  if (upload.type === 'progress') return <Progress dataset={upload.dataset} progress={upload.progress} />;
  if (upload.type === 'failed') {
    return (
      <div role="alert">
        <p>
          Uploading {upload.dataset} failed: {upload.message}
        </p>
        <p className="dim">{upload.hint ?? 'Drop the folder again: only what is missing is sent.'}</p>
      </div>
    );
  }
  return (
    <p role="status">
      <Link to={`/${upload.version}`}>{upload.version}</Link> is there.{' '}
      <span className="dim">
        {upload.sentBytes > 0
          ? `${bytesText(upload.sentBytes)} were sent.`
          : 'Nothing had to be sent: all of it was stored.'}
      </span>
    </p>
  );
}

function Progress({ dataset, progress }: { dataset: string; progress: UploadProgress }) {
  const { phase, files, totalFiles, bytes, totalBytes, sentBytes, rate } = progress;
  return (
    <>
      <p className="number">
        {phase === 'commit' ? 'Finishing' : 'Uploading'} {dataset}: {files.toLocaleString('en')} of{' '}
        {totalFiles.toLocaleString('en')} files, {bytesText(bytes)} of {bytesText(totalBytes)}
        <span className="dim">
          {' '}
          · {bytesText(sentBytes)} sent{rate !== undefined && ` · ${bytesText(rate)}/s`}
        </span>
      </p>
      <progress
        aria-label={`Upload to ${dataset}`}
        value={totalBytes > 0 ? bytes : files}
        max={totalBytes || totalFiles || 1}
      />
    </>
  );
}
