import type { Summaries } from '@mycloud/shared/browser';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { fileBytes } from '../api/call.js';
import { useOnScreen } from '../ui/visible.js';
import { StepSlider } from './step-slider.js';

const mostBytes = 10_000_000;

/** The picture of a step: the newest one, until another is chosen. */
export function ImageCard({
  series,
  snapshotId,
}: {
  series: Summaries['images'][number];
  snapshotId: string;
}) {
  const [card, setCard] = useState<HTMLElement | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const onScreen = useOnScreen(card);
  const { run, tag, images } = series;
  const at = Math.min(chosen ?? images.length - 1, images.length - 1);
  const image = images[at];
  const tooLarge = (image?.length ?? 0) > mostBytes;
  const bytes = useQuery({
    queryKey: ['summary-image', snapshotId, image?.file, image?.start],
    queryFn: () => fileBytes(snapshotId, image!.file, image!.start, image!.start + image!.length - 1),
    enabled: onScreen && image !== undefined && !tooLarge,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const url = useObjectUrl(bytes.data);
  return (
    <figure className="summary-card" ref={setCard}>
      <figcaption>
        <h3>{tag}</h3>
        <span className="dim">{run || '/output'}</span>
      </figcaption>
      <div className="summary-image">
        {url && !tooLarge && <img src={url} alt={`${tag}, step ${image?.step}`} />}
        {tooLarge && <p className="dim">The picture is larger than 10 MB.</p>}
        {bytes.error && <p className="dim">{bytes.error.message}</p>}
      </div>
      <StepSlider steps={images} at={at} onChange={setChosen} />
    </figure>
  );
}

/** As an image only, whatever the bytes are: nothing in them runs. */
function useObjectUrl(bytes: Uint8Array | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!bytes) return;
    const made = URL.createObjectURL(new Blob([bytes as BlobPart], { type: 'image/png' }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes]);
  return url;
}
