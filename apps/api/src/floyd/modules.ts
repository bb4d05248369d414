import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Multipart, MultipartFile } from '@fastify/multipart';
import { AppError, floydRoutes as contract, datasetName, floydCode, floydData } from '@mycloud/shared';
import { pathFault, quoted } from '@mycloud/snapshots';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import type { UserPrincipal } from '../http/principal.js';
import { serve } from '../http/route.js';
import { openScratchFolder } from '../scratch-folder.js';
import { storeFolder } from '../snapshots/store-folder.js';
import { beginUpload, findUpload } from '../uploads/uploads.js';
import { ensureDataset } from './data.js';
import { ensureProject, readName } from './names.js';
import { codeSettings, writeCodeId } from './run.js';

/** What the client holds to itself. */
const maxCodeBytes = 100 * 1024 * 1024;

/** What the old floyd uploads: code in one form, file by file; of data, only the beginning. */
export function moduleRoutes(app: FastifyInstance, deps: Deps): void {
  let folder: Promise<string> | undefined;
  app.addHook('onClose', async () => {
    if (folder) await rm(await folder, { recursive: true, force: true });
  });
  const scratch = () => {
    folder ??= openScratchFolder(deps.config.home, 'uploads');
    return folder;
  };

  serve(app, contract.upload, async ({ caller, request }) => {
    if (!request.isMultipart()) return beginData(deps, caller, request.body);
    const dir = await mkdtemp(path.join(await scratch(), 'code-'));
    try {
      return await takeCode(deps, caller, request, dir);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  // The password is the token itself: it ends when that is revoked, and what it may do is said in one place.
  serve(app, contract.credentials, async ({ params, caller, request }) => {
    const { id } = await findUpload(deps, caller, params.id);
    return { data_upload_id: id, token: request.headers.authorization?.split(' ')[1] ?? '' };
  });
}

async function beginData(deps: Deps, caller: UserPrincipal, body: unknown) {
  const { name, description } = parse(floydData, body);
  const dataset = await ensureDataset(deps, caller, readName(name, 'datasets', caller));
  const upload = await beginUpload(deps, caller, dataset, description ?? '');
  return { id: upload.id, name: datasetName(upload.owner, upload.dataset, upload.number) };
}

async function takeCode(deps: Deps, caller: UserPrincipal, request: FastifyRequest, dir: string) {
  const said = await writeFiles(request, dir).catch((error: Error) => {
    // What the form's parser says of one that is cut off has nothing else to be told by.
    if (error.constructor !== Error || 'code' in error) throw error;
    throw new AppError('bad_request', `the form did not come whole: ${error.message}`, { cause: error });
  });
  const code = parse(floydCode, said);
  const at = readName(code.name, 'projects', caller);
  // Asked before anything is stored: what can't be run needs no code.
  const settings = codeSettings(code);
  await ensureProject(deps, caller, at);
  const { snapshotId } = await storeFolder(deps, caller.userId, dir);
  return { id: writeCodeId({ snapshotId, ...settings }), name: code.name };
}

/** Writes the form's files below `dir`. @returns its part `json`. @throws AppError for a name that leaves the folder, or stands twice */
async function writeFiles(request: FastifyRequest, dir: string): Promise<unknown> {
  let json: unknown;
  let left = maxCodeBytes;
  const limits = { parts: 100_000, files: 100_000, fileSize: maxCodeBytes, fieldSize: 4 * 1024 * 1024 };
  for await (const part of request.parts({ preservePath: true, limits }) as AsyncIterable<Multipart>) {
    if (part.type === 'field') {
      if (part.fieldname === 'json') json = readJson(part.value);
      continue;
    }
    left -= await writeFile(part, dir);
    if (left < 0 || part.file.truncated) {
      throw new AppError('too_large', `the code has more than ${maxCodeBytes / 1024 ** 2} MiB`, {
        hint: 'Name what is no code in .floydignore, or upload it as data: floyd data upload.',
      });
    }
  }
  return json;
}

/** @returns its bytes */
async function writeFile({ file, filename }: MultipartFile, dir: string): Promise<number> {
  // The client writes a quotation mark in a name as %22, and nothing else.
  const name = (filename ?? '').replace(/^(\.\/)+/, '').replaceAll('%22', '"');
  const fault = pathFault(name);
  if (fault) throw new AppError('bad_request', `the file ${quoted(name)}: ${fault}`);
  const target = path.join(dir, name);
  try {
    await mkdir(path.dirname(target), { recursive: true });
    const writing = createWriteStream(target, { flags: 'wx' });
    await pipeline(file, writing);
    return writing.bytesWritten;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR') {
      throw new AppError('bad_request', `the file ${quoted(name)} was sent twice, or is a folder too`, {
        cause,
      });
    }
    if (code === 'ENOSPC') throw new AppError('unavailable', "the server's disk is full", { cause });
    throw cause;
  }
}

function readJson(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch (cause) {
    throw new AppError('bad_request', 'the part `json` of the form is no JSON', { cause });
  }
}

function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((one) => ({ path: one.path.join('.'), message: one.message }));
  throw new AppError('bad_request', 'the upload is not as floyd-cli sends it', { errors });
}
