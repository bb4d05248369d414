export * from './content-cache.js';
export * from './diff.js';
export * from './download.js';
export * from './hash-cache.js';
export * from './manifest.js';
export type { UploadProgress } from './progress.js';
export * from './scan.js';
export * from './upload.js';
