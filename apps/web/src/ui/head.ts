import type { JobStatus } from '@mycloud/shared/browser';
import { useEffect } from 'react';

const plain = { mark: '', icon: document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href ?? '' };

/** Drawn so that the shape tells it too: a dot, a tick, a cross, a square. */
const shapes: Record<JobStatus, { mark: string; colour: string; path: string }> = {
  queued: { mark: '○', colour: '#6b7280', path: 'M16 8v8l5 3' },
  preparing: { mark: '◔', colour: '#7c5cc4', path: 'M16 8v8l5 3' },
  running: { mark: '▶', colour: '#1f6feb', path: 'M13 10l9 6-9 6z' },
  saving: { mark: '◕', colour: '#7c5cc4', path: 'M16 8v12m-5-5l5 5 5-5' },
  succeeded: { mark: '✓', colour: '#0b7a5b', path: 'M9 16.5l5 5 9-11' },
  failed: { mark: '✗', colour: '#c2410c', path: 'M10 10l12 12m0-12L10 22' },
  stopped: { mark: '■', colour: '#4b5563', path: 'M11 11h10v10H11z' },
  timed_out: { mark: '⏱', colour: '#b45309', path: 'M16 8v8h6' },
};

function iconOf(status: JobStatus): string {
  const { colour, path } = shapes[status];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="16" fill="${colour}"/><path d="${path}" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** The tab's title and icon; with a job's status, both show it. */
export function useHead(title: string, status?: JobStatus): void {
  useEffect(() => {
    const mark = status ? `${shapes[status].mark} ` : plain.mark;
    document.title = `${mark}${title ? `${title} · ` : ''}mycloud`;
    const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
    if (link) link.href = status ? iconOf(status) : plain.icon;
  }, [title, status]);
}
