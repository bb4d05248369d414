import path from 'node:path';
import { AppError, jobName, jobRoutes } from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { copyOut } from '../copy-out.js';
import { print, printJson } from '../output.js';
import { findSource, outputOf, type Source } from '../sources.js';
import { countText } from '../text.js';
import { usage } from '../usage.js';

/** `NAME:/PATH`, as opposed to a path here, such as `./a:b`; on Windows a drive is one letter. */
const remote = /^(?![./~])([^:]{2,}|\d):\/*(.*)$/s;

/** Copies a file or folder from there to here, or from here into a dataset. */
export async function copy(
  from: string,
  to: string,
  { message, json }: { message?: string; json?: boolean },
): Promise<void> {
  const [source, target] = [remote.exec(from), remote.exec(to)];
  if (source && target) throw usage('one of both must be a path here; fetch it first, then send it on');
  if (!source && !target)
    throw usage('name one of both as JOB:/output/PATH, JOB:/code/PATH or DATASET/1:/PATH');
  const session = await openSession();
  if (target) {
    const { copyIntoDataset } = await import('../copy-in.js');
    const version = await copyIntoDataset(session, from, { name: target[1]!, path: target[2]! }, message);
    return json ? printJson(version) : print(`Dataset ${version.name}: ${countText(version.files, 'file')}`);
  }
  const { place, inside } = await locate(session, source![1]!, source![2]!);
  const { at, files } = await copyOut(session, place, inside, to);
  if (json) return printJson({ source: place.name, path: inside, at: path.resolve(at), files });
  print(`${countText(files, 'file')} of ${place.name} in ${path.resolve(at)}`);
}

/**
 * What NAME and PATH of `NAME:/PATH` stand for. `x/12:/output/…`, `/code/…` and a bare number are a job's; any other `x/12` is a
 * version of a dataset.
 */
async function locate(
  session: Session,
  name: string,
  inPath: string,
): Promise<{ place: Source; inside: string }> {
  const [top = '', ...rest] = inPath.split('/');
  const isDataset = name.includes('/datasets/') || /\/output\/?$/.test(name);
  const isJob = /^\d+$/.test(name) || name.includes('/projects/') || top === 'output' || top === 'code';
  if (isDataset || !isJob) return { place: await findSource(session, name), inside: inPath };
  const job = await session.client.call(jobRoutes.get, { params: await session.jobRef(name) });
  const inside = rest.join('/');
  const full = jobName(job);
  const found = (snapshotId: string, what: string): { place: Source; inside: string } => ({
    place: { name: `/${what} of ${full}`, snapshotId, folder: what, page: `/${full}/files` },
    inside,
  });
  if (top === 'output') return found(outputOf(job), top);
  if (top === 'code' && job.codeSnapshotId) return found(job.codeSnapshotId, top);
  const mount = job.mounts.find((one) => one.name === top);
  if (mount) return found(mount.snapshotId, top);
  const there = [...(job.codeSnapshotId ? ['code'] : []), 'output', ...job.mounts.map((one) => one.name)].map(
    (folder) => `/${folder}`,
  );
  throw new AppError('not_found', `${full} has no /${top}`, { hint: `There is ${there.join(', ')}.` });
}
