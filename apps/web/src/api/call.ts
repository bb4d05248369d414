import {
  AppError,
  type Extra,
  pageHeader,
  type RouteByTitle,
  type RouteInput,
  type RouteOutput,
  send,
} from '@mycloud/shared/browser';

type Title = keyof RouteByTitle;

/** Calls a route of the api by its title, typed by its contract. The session cookie says who calls. @throws AppError */
export async function call<T extends Title>(
  title: T,
  input: RouteInput<RouteByTitle[T]>,
  extra: Extra = {},
): Promise<RouteOutput<RouteByTitle[T]>> {
  const [method, path] = title.split(' ') as ['GET', string];
  const headers = method === 'GET' ? extra.headers : { ...extra.headers, [pageHeader]: '1' };
  const response = await send({ url: '' }, { method, path }, input, { ...extra, headers });
  return (response.status === 204 ? undefined : await response.json()) as RouteOutput<RouteByTitle[T]>;
}

/** Where the bytes of a file of a snapshot are got. */
export const fileUrl = (snapshotId: string, path: string): string =>
  `/v1/snapshots/${snapshotId}/file?path=${encodeURIComponent(path)}`;

/** Where a folder of a snapshot, or all of it (an empty path), is got as one file. */
export const archiveUrl = (snapshotId: string, path: string, format: 'tar' | 'zip'): string =>
  `/v1/snapshots/${snapshotId}/archive?${new URLSearchParams({ format, path })}`;

/** Bytes start..end (inclusive) of a file. @throws AppError */
export async function fileBytes(
  snapshotId: string,
  path: string,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const route = { method: 'GET', path: '/v1/snapshots/:id/file' } as const;
  const headers = { range: `bytes=${start}-${end}` };
  const response = await send(
    { url: '' },
    route,
    { params: { id: snapshotId }, query: { path } },
    { headers },
  );
  return new Uint8Array(await response.arrayBuffer());
}

export const isLoggedOut = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'unauthenticated';

/** For questions, and for what may be asked twice: what the server refuses stays refused; a server that is away is asked until it is back. */
export const untilBack = {
  retry: (count: number, error: unknown): boolean =>
    error instanceof AppError && error.code === 'unavailable' && count < 100,
  retryDelay: (count: number): number => Math.min(300 * 2 ** count, 3000),
};
