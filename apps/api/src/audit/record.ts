import { datasetName, jobName, type RouteContract } from '@mycloud/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.js';
import { prepared } from '../jobs/sql.js';
import { storable } from '../jobs/text.js';

/** What a handler knows of an action that its call doesn't say. */
export interface AuditNote {
  target?: string;
  detail?: Record<string, unknown>;
  /** Who he turned out to be, where the call itself is the login. */
  user?: { id: string; name: string };
  via?: string;
  /** Nothing was done that is worth an entry. */
  skip?: boolean;
}

/** An entry of an action as the database has it, but for what it was done on and what came of it. */
export interface Entry {
  userId: string | null;
  user: string | null;
  via: string;
  action: string;
  detail: Record<string, unknown>;
  address: string;
}

/** The entry of an action that is done, for the statement that does it: then one is never there without the other. */
export interface EntryWithAction extends Entry {
  /** Set by whoever wrote it. */
  written: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Filled on the way: by the handler, by what it answered, and by the error it ended with. */
    audit: { note: AuditNote; answer: unknown; outcome: string; withAction?: EntryWithAction };
  }
}

/** Adds to the entry of this call. */
export function noteAudit(request: FastifyRequest, note: AuditNote): void {
  Object.assign(request.audit.note, note);
}

/** The entry of this call, to be written together with its action; unless it is, it is written as all others are. */
export function entryWithAction(request: FastifyRequest): EntryWithAction | undefined {
  const { contract } = request.routeOptions.config;
  const action = contract && auditAction(contract);
  if (!contract || action === undefined) return undefined;
  request.audit.withAction = { ...entryOf(contract, action, request), written: false };
  return request.audit.withAction;
}

/** What the audit trail calls a route; undefined for one that leaves no entry. */
export function auditAction(contract: RouteContract): string | undefined {
  if (contract.audit !== undefined) return contract.audit || undefined;
  const reads = contract.method === 'GET' || contract.method === 'HEAD';
  // Workers and signed URLs are how an action is carried out, not somebody's action.
  return reads || contract.auth === 'worker' || contract.auth === 'signed' ? undefined : contract.summary;
}

/** Of who isn't logged in, what anybody could send without end is no entry. */
const unnamedOutcomes = ['done', 'unauthenticated', 'conflict', 'not_found'];

/**
 * The one place where entries of the audit trail are made, for every route: before the answer is sent, so that whoever has it finds
 * the entry (that of a submitted job is written with it, by the statement that queues it). An entry that can't be written goes to the server's log; the action was done all the same.
 */
export function openAudit(app: FastifyInstance, deps: Deps): void {
  app.decorateRequest('audit', null as never);
  app.addHook('onRequest', async (request) => {
    request.audit = { note: {}, answer: undefined, outcome: 'done' };
  });
  app.addHook('onSend', (request) => recordAction(deps, request));
}

/** Writes the entry of a call, if it leaves one. A route that takes the connection over calls it itself. */
export async function recordAction(deps: Deps, request: FastifyRequest): Promise<void> {
  const { contract } = request.routeOptions.config;
  const action = contract && auditAction(contract);
  const { note, outcome, withAction } = request.audit;
  if (!contract || action === undefined || note.skip || withAction?.written) return;
  const { principal } = request;
  if (!principal && (contract.auth !== 'none' || !unnamedOutcomes.includes(outcome))) return;
  const entry = entryOf(contract, action, request);
  const target = note.target ?? targetOf(contract, request);
  try {
    await deps.pool.query(
      prepared(
        `INSERT INTO "AuditEntry" ("userId", "user", via, action, target, detail, address, outcome)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          entry.userId,
          entry.user,
          entry.via,
          action,
          storable(target),
          storable(JSON.stringify(entry.detail)),
          entry.address,
          outcome,
        ],
      ),
    );
  } catch (error) {
    deps.log.error(
      { err: error, entry: { ...entry, target, outcome } },
      'an entry of the audit trail could not be written',
    );
  }
}

function entryOf(contract: RouteContract, action: string, request: FastifyRequest): Entry {
  const { principal, audit } = request;
  const { note } = audit;
  const user = note.user ?? (principal && { id: principal.userId, name: principal.name });
  return {
    userId: user?.id ?? null,
    user: user?.name ?? null,
    via: note.via ?? viaOf(request),
    action,
    detail: { ...shownFields(contract, request.body), ...note.detail },
    address: request.ip,
  };
}

function viaOf({ principal }: FastifyRequest): string {
  if (!principal) return 'password';
  if (principal.kind === 'worker') return "a worker's token";
  return principal.sessionId ? 'page' : (principal.tokenName ?? 'a token');
}

function shownFields(contract: RouteContract, body: unknown): Record<string, unknown> {
  const given = (body ?? {}) as Record<string, unknown>;
  const shown = (contract.auditShows ?? []).filter((field) => given[field] !== undefined);
  return Object.fromEntries(shown.map((field) => [field, given[field]]));
}

type Named = Partial<
  Record<'owner' | 'project' | 'dataset' | 'number' | 'team' | 'user' | 'name' | 'id' | '*', string>
>;

/** What an action was done on, by what it made, else by its address, else by its body. Never by a secret: those have other names. */
function targetOf(contract: RouteContract, { params, body, audit, principal }: FastifyRequest): string {
  const made = (audit.answer ?? {}) as Named;
  const at = (params ?? {}) as Named;
  const { owner, project, dataset, number, team, user } = at;
  if (typeof made.name === 'string' && made.name.includes('/')) return made.name;
  if (owner && project && number) return jobName({ owner, project, number: Number(number) });
  if (owner && project) return `${owner}/projects/${project}`;
  if (owner && dataset) return datasetName(owner, dataset, number ? Number(number) : undefined);
  if (team) return user ? `${team}/${user}` : team;
  if (user) return user;
  if (typeof made.name === 'string')
    return made.owner ? `${made.owner}/${contract.tag}/${made.name}` : made.name;
  if (at['*'] !== undefined) return at['*'] || (principal?.name ?? '');
  const named = at.name ?? (body as Named | undefined)?.name;
  return typeof named === 'string' ? named : (at.id ?? '');
}
