import { AppError } from '@mycloud/shared';

const codes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // Prisma: can't reach, timed out, closed by the server, no connection free.
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  // Postgres: shut down, crashed, starting up, too many connections.
  '57P01',
  '57P02',
  '57P03',
  '53300',
]);
const kinds = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections']);
/** node-postgres gives the first ones no code; Prisma, whose own code says nothing, puts Postgres's into its words. */
const messages =
  /Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Can't reach database server|Code: `(?:57P0[123]|53300|08\w{3})`/;

/** An error and what caused it, from the outside in. */
function* causesOf(error: unknown): Generator<{ code?: unknown; message: string; cause?: unknown }> {
  let at = error;
  for (let depth = 0; at instanceof Error && depth < 5; depth += 1) {
    yield at;
    at = at.cause;
  }
}

/** Is it the way to the database, and not the query, that failed? Looks through the causes too. */
export function isDatabaseAway(error: unknown): boolean {
  for (const { code, message, cause } of causesOf(error)) {
    if (typeof code === 'string' && (codes.has(code) || code.startsWith('08'))) return true;
    if (messages.test(message)) return true;
    const kind = (cause as { kind?: unknown } | undefined)?.kind;
    if (typeof kind === 'string' && kinds.has(kind)) return true;
  }
  return false;
}

export function databaseAway(cause: unknown): AppError {
  return new AppError('unavailable', 'the database does not answer now', {
    cause,
    hint: 'Try again in a few seconds.',
  });
}

/**
 * A value that was sent and that no column takes: a number outside its range, text with a NUL in it. What is checked before the
 * database says it better.
 */
export function isUnstorable(error: unknown): boolean {
  for (const { code, cause } of causesOf(error)) {
    // Postgres: a number, a time out of range, NUL in text, NUL in JSON. Prisma: out of range, 64 bits exceeded.
    if (['22003', '22008', '22021', '22P05', 'P2020', 'P2033'].includes(String(code))) return true;
    const { originalCode } = (cause ?? {}) as { originalCode?: unknown };
    if (['22003', '22008', '22021', '22P05'].includes(String(originalCode))) return true;
  }
  return false;
}

/** A breach of a unique index, by SQL or by Prisma. */
export function isDuplicate(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '23505' || code === 'P2002';
}

/** A reference to a row that was deleted meanwhile, by SQL or by Prisma. */
export function isDangling(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '23503' || code === 'P2003';
}
