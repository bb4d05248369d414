import { AppError } from '@mycloud/shared/browser';
import { addVersion } from '../new-version.js';
import type { Asked, Told } from './upload.js';
import { uploadTree } from './upload-tree.js';

const tell = (told: Told) => postMessage(told);

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  const { tree, owner, dataset, message } = data;
  uploadTree(tree, owner, (progress) => tell({ type: 'progress', progress }))
    .then(async ({ snapshotId, sentBytes }) => {
      const version = await addVersion(owner, dataset, snapshotId, message);
      tell({ type: 'done', version: version.name, sentBytes });
    })
    .catch((error: unknown) =>
      tell({
        type: 'failed',
        message: error instanceof Error ? error.message : String(error),
        hint: error instanceof AppError ? error.hint : undefined,
      }),
    );
});
