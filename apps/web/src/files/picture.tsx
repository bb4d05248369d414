import type { FileEntry } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { Maximize2, Minimize2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { fileBytes, fileUrl } from '../api/call.js';
import { Loading } from '../ui/notice.js';

const mostBytes = 30 * 1024 * 1024;
/** An SVG is text that has to be drawn: a small one can hold much work. */
const mostSvgBytes = 2 * 1024 * 1024;

/** As an image only: what scripts an SVG holds don't run there. It fits its place, or stands at its full size, to be scrolled. */
export function Picture({ snapshotId, file }: { snapshotId: string; file: FileEntry }) {
  const [broken, setBroken] = useState(false);
  const [full, setFull] = useState(false);
  const [size, setSize] = useState('');
  const svg = /\.svg$/i.test(file.name);
  const blob = useSvg(snapshotId, file, svg);
  const src = svg ? blob : fileUrl(snapshotId, file.path);
  if (file.size > (svg ? mostSvgBytes : mostBytes))
    return <p className="dim">Too large to be shown here; download it.</p>;
  if (broken) return <p className="dim">This is no picture that a browser can show.</p>;
  if (!src) return <Loading what="the picture" />;
  const Icon = full ? Minimize2 : Maximize2;
  return (
    <>
      <p className="picture-bar">
        <span className="dim number">{size}</span>
        <button type="button" className="button" aria-pressed={full} onClick={() => setFull(!full)}>
          <Icon size={14} aria-hidden /> Full size
        </button>
      </p>
      <div className={full ? 'picture-full' : 'picture-fit'} tabIndex={full ? 0 : undefined}>
        <img
          className="picture"
          src={src}
          alt={file.name}
          onError={() => setBroken(true)}
          onLoad={({ currentTarget }) =>
            setSize(`${currentTarget.naturalWidth} × ${currentTarget.naturalHeight} pixels`)
          }
        />
      </div>
    </>
  );
}

/** The server gives SVG no type that a browser would draw; the page says itself that it is an image. */
function useSvg(snapshotId: string, file: FileEntry, svg: boolean): string | undefined {
  const [url, setUrl] = useState<string>();
  const found = useQuery({
    queryKey: ['svg', snapshotId, file.path],
    queryFn: () => fileBytes(snapshotId, file.path, 0, file.size - 1),
    enabled: svg && file.size <= mostSvgBytes,
  });
  useEffect(() => {
    if (!found.data) return;
    const made = URL.createObjectURL(new Blob([found.data as BlobPart], { type: 'image/svg+xml' }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [found.data]);
  return url;
}
