import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';
import type { Client } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { type Chunk, decodeManifest, manifestHash, manifestTotals, unpackManifest } from '../../src/index.js';

interface Pack {
  id: string;
  checksum: string;
  chunks: { hash: string; offset: number; size: number }[];
  bytes: Buffer;
  committed: boolean;
}

interface Stored {
  packed: Buffer;
  hash: string;
  chunks: string[];
  files: number;
  bytes: number;
}

/** What a fault does to one request: drop the line, or answer this status. */
type Fault = 'cut' | number | undefined;

/** The snapshot routes of one owner, in memory, with the faults a test asks for. */
export interface FakeApi {
  client: Client;
  packs: Map<string, Pack>;
  /** "POST /v1/packs" and so on, in order. */
  requests: string[];
  /** Bytes of packs received whole. */
  received(): number;
  stored(): Set<string>;
  /** Asked before each request is served. */
  fault: (request: string) => Fault;
  /** Awaited before each request is served. */
  gate: (request: string) => Promise<void> | undefined;
  close(): Promise<void>;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export async function startFakeApi(): Promise<FakeApi> {
  const packs = new Map<string, Pack>();
  const snapshots = new Map<string, Stored>();
  const requests: string[] = [];
  let received = 0;

  const stored = (): Set<string> => {
    const hashes = new Set<string>();
    for (const pack of packs.values()) if (pack.committed) for (const c of pack.chunks) hashes.add(c.hash);
    return hashes;
  };

  /** A snapshot as long as all its chunks are there. */
  function find(hash: string): unknown {
    const have = stored();
    const found = [...snapshots].find(([, one]) => one.hash === hash && one.chunks.every((c) => have.has(c)));
    return { snapshot: found ? view(...found) : null };
  }

  const view = (id: string, { hash, files, bytes }: Stored): unknown => ({
    id,
    hash,
    files,
    bytes,
    storedBytes: bytes,
    createdAt: new Date().toISOString(),
  });

  async function create(packed: Buffer): Promise<unknown> {
    const bytes = await unpackManifest(packed);
    const entries = decodeManifest(bytes);
    const have = stored();
    const chunks = entries.flatMap((entry): Chunk[] => (entry.type === 'file' ? entry.chunks : []));
    if (chunks.some((chunk) => !have.has(chunk.hash)))
      throw new Refused(400, 'bad_request', 'chunks are missing');
    const id = randomUUID();
    const hashes = chunks.map((chunk) => chunk.hash);
    const snapshot = { packed, chunks: hashes, hash: manifestHash(bytes), ...manifestTotals(entries) };
    snapshots.set(id, snapshot);
    return view(id, snapshot);
  }

  function locate(hashes: string[]): unknown {
    const wanted = new Set(hashes);
    const places = [...packs.values()].filter((pack) => pack.committed);
    const chunks = places.flatMap((pack, index) => pack.chunks.map((chunk) => ({ ...chunk, pack: index })));
    const first = new Map(
      chunks.filter((chunk) => wanted.has(chunk.hash)).map((chunk) => [chunk.hash, chunk]),
    );
    const url = (pack: Pack) => ({
      method: 'GET',
      url: `/v1/store/${pack.id}`,
      headers: { 'x-signed': 'yes' },
    });
    return {
      packs: places.map((pack) => ({ id: pack.id, size: pack.bytes.length, download: url(pack) })),
      chunks: [...first.values()],
    };
  }

  function serve(method: string, path: string, body: Buffer, headers: http.IncomingHttpHeaders): unknown {
    const json = () =>
      JSON.parse(body.toString()) as {
        hash: string;
        hashes: string[];
        onlyWhole?: boolean;
      } & Pick<Pack, 'checksum' | 'chunks'>;
    const [, , noun, id = '', verb] = path.split('/');
    if (noun === 'chunks') {
      const have = stored();
      return { missing: json().hashes.filter((hash) => !have.has(hash)) };
    }
    if (noun === 'packs' && !verb) {
      const { checksum, chunks, onlyWhole } = json();
      const have = stored();
      const missing = chunks.map((chunk) => chunk.hash).filter((hash) => !have.has(hash));
      if (missing.length === 0 || (onlyWhole && missing.length < chunks.length)) {
        return { id: null, upload: null, missing };
      }
      const pack: Pack = { id: randomUUID(), checksum, chunks, bytes: Buffer.alloc(0), committed: false };
      packs.set(pack.id, pack);
      const upload = { method: 'PUT', url: `/v1/store/${pack.id}`, headers: { 'x-signed': 'yes' } };
      return { id: pack.id, upload, missing: [] };
    }
    const pack = packs.get(id);
    if (noun === 'packs' && pack) {
      const sum = `crc32:${crc32(pack.bytes).toString(16).padStart(8, '0')}`;
      if (sum !== pack.checksum) throw new Refused(400, 'bad_request', 'the pack is not what was announced');
      pack.committed = true;
      return undefined;
    }
    if (noun === 'store' && pack && headers['x-signed'] === 'yes') {
      if (method === 'PUT') {
        pack.bytes = body;
        received += body.length;
        return undefined;
      }
      const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
      return range ? pack.bytes.subarray(Number(range[1]), Number(range[2]) + 1) : pack.bytes;
    }
    if (noun === 'snapshots' && id === 'find') return find(json().hash);
    if (noun === 'snapshots' && method === 'POST' && !verb) return create(body);
    const snapshot = snapshots.get(id);
    if (noun === 'snapshots' && snapshot) {
      if (verb === 'manifest') return snapshot.packed;
      if (verb === 'locate') return locate(json().hashes);
      return view(id, snapshot);
    }
    throw new Refused(404, 'not_found', `${method} ${path}`);
  }

  const server = http.createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const name = `${request.method} ${path.replace(/[0-9a-f-]{36}/, ':id')}`;
    requests.push(name);
    const fault = api.fault(name);
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    try {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      await api.gate(name);
      if (fault)
        throw new Refused(fault, fault === 404 ? 'not_found' : 'unavailable', 'asked for by the test');
      const answer = await serve(request.method ?? '', path, Buffer.concat(pieces), request.headers);
      if (Buffer.isBuffer(answer)) response.writeHead(request.headers.range ? 206 : 200).end(answer);
      else if (answer === undefined) response.writeHead(204).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    } catch (error) {
      if (response.destroyed) return;
      const { status = 500, code = 'internal', message } = error as Partial<Refused> & Error;
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ type: 'about:blank', title: code, status, code, detail: message }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const api: FakeApi = {
    client: createNodeClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
    packs,
    requests,
    received: () => received,
    stored,
    fault: () => undefined,
    gate: () => undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return api;
}
