import { createHash } from 'node:crypto';
import { type IncomingMessage, request as send } from 'node:http';
import { request as sendSecurely } from 'node:https';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.js';
import { newId } from '../jobs/id.js';

const beatMs = 2_000;
/** One not heard of for so long is gone. */
const goneSeconds = 10;
const connectMs = 2_000;

/** Marks what another api hands on: it is answered here, whoever it belongs to. */
export const peerHeader = 'x-mycloud-peer';

/** Of one connection, or naming a body that is written anew. */
const notHandedOn =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|expect)$/i;

interface Peer {
  id: string;
  url: string;
}

/** The apis that run now, and the way to the one that something in memory, such as a TensorBoard, belongs to. */
export interface Peers {
  /**
   * Has the api that a key belongs to answer a request: all that agree on who runs choose the same one. One that can't be
   * reached is passed over.
   * @returns false when it is this one's to answer
   */
  handOver(key: string, request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
}

/**
 * Where this api has an address of its own (MYCLOUD_ADVERTISE_URL) it is listed while it listens, and asks who else is. One
 * without is alone: it answers everything itself.
 */
export function openPeers(app: FastifyInstance, deps: Pick<Deps, 'config' | 'pool' | 'log'>): Peers {
  const { advertiseUrl } = deps.config;
  if (!advertiseUrl) return { handOver: async () => false };
  const self: Peer = { id: newId(), url: advertiseUrl };
  let peers: Peer[] = [self];
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let beating: Promise<void> = Promise.resolve();

  const beat = async () => {
    try {
      await deps.pool.query(
        `INSERT INTO "Api" (id, url) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET "seenAt" = now()`,
        [self.id, self.url],
      );
      const { rows } = await deps.pool.query<Peer>(
        `SELECT id, url FROM "Api" WHERE "seenAt" > now() - make_interval(secs => $1)`,
        [goneSeconds],
      );
      peers = rows;
    } catch (error) {
      deps.log.debug({ err: error }, 'the list of apis could not be read; the last one stands');
    }
    if (!closed) timer = setTimeout(begin, beatMs);
  };
  const begin = () => {
    beating = beat();
  };
  app.addHook('onListen', async () => {
    await deps.pool.query(`DELETE FROM "Api" WHERE "seenAt" < now() - interval '1 hour'`);
    await beat();
  });
  app.addHook('preClose', async () => {
    closed = true;
    clearTimeout(timer);
    await beating;
    // The others choose anew at once. Without a database they find out by its silence.
    await deps.pool.query(`DELETE FROM "Api" WHERE id = $1`, [self.id]).catch((error: unknown) => {
      deps.log.debug({ err: error }, 'this api could not be taken off the list');
    });
  });

  return {
    async handOver(key, request, reply) {
      if (request.headers[peerHeader] !== undefined) return false;
      const owner = ownerOf(key, peers);
      if (!owner || owner.id === self.id) return false;
      try {
        await pass(owner, self, request, reply);
        return true;
      } catch (error) {
        deps.log.debug({ err: error, api: owner.url }, 'another api could not be reached; this one answers');
        peers = peers.filter(({ id }) => id !== owner.id);
        return false;
      }
    },
  };
}

/** Rendezvous hashing: one that comes or goes moves only what is or becomes its own. */
function ownerOf(key: string, peers: readonly Peer[]): Peer | undefined {
  const weight = ({ id }: Peer): string => createHash('sha256').update(`${id} ${key}`).digest('hex');
  const weighed = peers.map((peer) => ({ peer, weight: weight(peer) }));
  return weighed.sort((a, b) => (a.weight < b.weight ? 1 : -1))[0]?.peer;
}

/** Sends a request on as it came, and its answer back. @rejects before anything is answered, when the peer can't be reached */
async function pass(to: Peer, self: Peer, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { raw, body } = request;
  const headers = Object.fromEntries(Object.entries(raw.headers).filter(([name]) => !notHandedOn.test(name)));
  headers[peerHeader] = self.id;
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const url = new URL(raw.url ?? '/', to.url);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sending = (url.protocol === 'https:' ? sendSecurely : send)(
      url,
      { method: raw.method, headers },
      resolve,
    );
    const late = setTimeout(() => sending.destroy(new Error('no connection')), connectMs);
    sending.once('socket', (socket) => {
      if (!socket.connecting) clearTimeout(late);
      else socket.once('connect', () => clearTimeout(late));
    });
    sending.once('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    reply.raw.once('close', () => reply.raw.writableEnded || sending.destroy());
    sending.end(bytes);
  });
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !notHandedOn.test(name)) void reply.header(name, value);
  }
  void reply.status(answer.statusCode ?? 502).send(answer);
}
