import { fileBytes } from '../../api/call.js';
import { serveFiles } from '../file-work.js';
import { readHdf5 } from './read-hdf5.js';

serveFiles(async ({ snapshotId, path, size }) => {
  const bytes = await fileBytes(snapshotId, path, 0, size - 1);
  return readHdf5(bytes.buffer as ArrayBuffer);
});
