import { AppError, toProblem } from '@mycloud/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Why there is nothing to show of a job (yet). */
export interface Notice {
  /** 503: it may be there in a moment, and a page looks again; 410: it has been. */
  status: 503 | 410;
  title: string;
  text: string;
  /** The job's own page. */
  jobPath: string;
}

/** Says so: to a person by a page, to a program by problem+json. */
export function answerNotice(request: FastifyRequest, reply: FastifyReply, notice: Notice): FastifyReply {
  const { status, title, text, jobPath } = notice;
  reply.status(status).header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
  if (status === 503) reply.header('retry-after', '2');
  if (!/text\/html/.test(request.headers.accept ?? '')) {
    const hint = `See ${jobPath} and its log.`;
    const problem = toProblem(new AppError('unavailable', `${title}: ${text}`, { hint }));
    return reply.type('application/problem+json').send({ ...problem, status });
  }
  return reply
    .type('text/html; charset=utf-8')
    .header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-top-navigation allow-popups",
    )
    .send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
${status === 503 ? '<meta http-equiv="refresh" content="2">' : ''}
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}</style></head>
<body><h1>${escaped(title)}</h1><p>${escaped(text)}</p>
${status === 503 ? '<p>This page looks again by itself.</p>' : ''}
<p><a href="${escaped(jobPath)}" target="_top">The job and its log</a></p></body></html>
`);
}
