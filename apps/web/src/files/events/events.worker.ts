import { fileBytes } from '../../api/call.js';
import { serveFiles } from '../file-work.js';
import { readEventFile } from './read-event-file.js';

serveFiles(({ snapshotId, path, size }) =>
  readEventFile(size, (start, end) => fileBytes(snapshotId, path, start, end)),
);
