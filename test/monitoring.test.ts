import { readFileSync } from 'node:fs';
import path from 'node:path';
import { jobRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { eventually, startServer, type TestServer } from './support/server.js';

const root = path.resolve(import.meta.dirname, '..');
const deployed = (file: string): string => readFileSync(path.join(root, 'deploy', file), 'utf8');
const metricsToken = 'a-token-for-prometheus-alone';

let server: TestServer;
/** Names of the series told, and the labels of each. */
const told = new Map<string, Set<string>>();
const get = async (url: string): Promise<string> => {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${metricsToken}` } });
  expect(answer.status, url).toBe(200);
  return answer.text();
};

beforeAll(async () => {
  server = await startServer({
    env: {
      MYCLOUD_METRICS_TOKEN: metricsToken,
      MYCLOUD_METRICS_PORT: '0',
      MYCLOUD_OUTGOING_ALLOW: '127.0.0.1',
    },
  });
  // A job of each sort, so that every metric has a series.
  const cwd = await server.project('cats', { 'a.txt': 'a' });
  const job = await server.json<{ owner: string; project: string; number: number }>(['run', 'echo hello'], {
    cwd,
  });
  await server.ended(job);
  const schedule = ['schedule', 'create', '--name', 'nightly', '--cron', '@yearly', 'true'];
  await server.json(schedule, { cwd });
  await server.json(['schedule', 'run', 'nightly'], { cwd });
  // Nobody listens there, which counts as a try.
  await server.cli(['notify', 'test', 'http://127.0.0.1:9/x'], { cwd });
  const client = await server.client();
  await client.call(jobRoutes.list, {});
  const worker = readFileSync(path.join(server.home, 'logs/worker.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"ready"'))
    .map((line) => (JSON.parse(line) as { metricsPort?: number }).metricsPort)
    .at(-1);
  const texts = await Promise.all([get(`${server.url}/metrics`), get(`http://127.0.0.1:${worker}/metrics`)]);
  for (const line of texts.join('\n').split('\n')) {
    const [, help] = /^# HELP (\S+)/.exec(line) ?? [];
    if (help && !told.has(help)) told.set(help, new Set());
    const [, name, labels = ''] = /^([a-z_]\w*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (!name) continue;
    const known = told.get(name) ?? new Set();
    for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label!);
    told.set(name, known);
  }
});
afterAll(() => server.remove());

const functions = new Set('sum max min rate increase histogram_quantile topk and or by le'.split(' '));
/** What an expression of PromQL asks for: names of series, each with the labels it picks by. */
function asked(expression: string): { name: string; labels: string[] }[] {
  const plain = expression.replaceAll(/\[[^\]]*\]/g, '').replaceAll(/\b(by|without) \([^)]*\)/g, '');
  return [...plain.matchAll(/([a-z_]\w*)(\{[^}]*\})?/g)]
    .filter(([, name, picks]) => picks || !functions.has(name!))
    .filter(([whole, , picks]) => !/^"/.test(whole) && (picks || /_/.test(whole)))
    .map(([, name, picks = '']) => ({
      name: name!,
      labels: [...picks.matchAll(/(\w+)(?:=|!=|=~|!~)"/g)].map(([, label]) => label!),
    }));
}
/** Labels that Prometheus itself adds. */
const prometheusOwn = new Set(['job', 'instance', 'le']);
const grouped = (expression: string): string[] =>
  [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(/,\s*/));

function check(expression: string): void {
  const series = asked(expression).filter(({ name }) => name !== 'up');
  for (const { name, labels } of series) {
    expect(told.has(name), `${name} of ${expression}`).toBe(true);
    // A counter without a series yet has no labels to look at; its ends were made above.
    for (const label of labels) expect([...told.get(name)!, ...prometheusOwn], name).toContain(label);
  }
  const labels = new Set(series.flatMap(({ name }) => [...(told.get(name) ?? [])]));
  for (const label of grouped(expression)) expect([...labels, ...prometheusOwn], expression).toContain(label);
}

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string; mend: string } }[] }[];
}

it('alerts of nothing that is not told, and says of each how to mend it', () => {
  const rules = (parse(deployed('alerts.yml')) as Rules).groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(10);
  for (const { alert, expr, annotations } of rules) {
    check(expr);
    expect(annotations.summary, alert).toMatch(/\w/);
    expect(annotations.mend, alert).toMatch(/\w/);
  }
});

interface Dashboard {
  panels: { title: string; targets?: { expr: string }[] }[];
}

it('draws nothing that is not told, and all that is told of mycloud', () => {
  const { panels } = JSON.parse(deployed('grafana/mycloud.json')) as Dashboard;
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(expressions.length).toBeGreaterThan(20);
  for (const expression of expressions) check(expression.replaceAll('$__rate_interval', '5m'));
  const drawn = expressions.join(' ');
  const own = [...told.keys()].filter(
    (name) => name.startsWith('mycloud_') && !/_(bucket|sum|count)$/.test(name),
  );
  expect(own.filter((name) => !drawn.includes(name))).toEqual([]);
});

it('has checks that can fail', () => {
  expect(() => check('rate(mycloud_no_such_total[5m])')).toThrow();
  expect(() => check('max(mycloud_jobs{colour="red"})')).toThrow();
  expect(() => check('sum by (colour) (mycloud_jobs)')).toThrow();
});

it('follows one job by its id through the logs of api and worker', async () => {
  const client = await server.client();
  const { items } = await client.call(jobRoutes.list, { query: { text: 'echo hello' } });
  const lines = (app: string) =>
    readFileSync(path.join(server.home, `logs/${app}.log`), 'utf8')
      .split('\n')
      .filter((line) => line.includes(items[0]!.id))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  await eventually('the worker has ended it', async () =>
    lines('worker').some(({ msg }) => msg === 'attempt ended'),
  );
  expect(lines('api').map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['job submitted', 'job claimed', 'job ended']),
  );
  const submitted = lines('api').find(({ msg }) => msg === 'job submitted');
  expect(submitted).toMatchObject({ app: 'api', job: items[0]!.name, requestId: expect.any(String) });
  for (const line of lines('worker'))
    expect(line).toMatchObject({ app: 'worker', attempt: 1, worker: items[0]!.worker });
});
