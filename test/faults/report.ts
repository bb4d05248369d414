import { describeFault, mayCostLease } from './adversary.js';
import type { Round } from './round.js';

const count = <T>(items: T[], key: (item: T) => string): [string, number][] => {
  const found = new Map<string, number>();
  for (const item of items) found.set(key(item), (found.get(key(item)) ?? 0) + 1);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
};
const sum = (numbers: number[]): number => numbers.reduce((all, n) => all + n, 0);
const number = (n: number): string => n.toLocaleString('en-US');
const table = (head: [string, string], rows: [string, number | string][]): string =>
  [
    `| ${head[0]} | ${head[1]} |`,
    '| --- | ---: |',
    ...rows.map(([a, b]) => `| ${a} | ${typeof b === 'number' ? number(b) : b} |`),
  ].join('\n');

const countsLost = (round: Round): boolean => !round.stalled && !round.faults.some(mayCostLease);

/** 1 to 3, 7, 9 to 10 */
function ranges(numbers: number[]): string {
  const starts = numbers.filter((n) => !numbers.includes(n - 1));
  const ends = numbers.filter((n) => !numbers.includes(n + 1));
  return starts.map((from, i) => (from === ends[i] ? `${from}` : `${from} to ${ends[i]}`)).join(', ');
}

export const verdictOf = (rounds: Round[]): string => {
  const failed = rounds.filter((round) => round.findings.length > 0).length;
  return `${rounds.length - failed} of ${rounds.length} rounds clean`;
};

/** The campaign's report, as docs/faults.md holds it. */
export function writeReport(rounds: Round[], firstSeed: number): string {
  const jobs = rounds.flatMap((round) => round.jobs);
  const faults = rounds.flatMap((round) => round.faults);
  const failed = rounds.filter((round) => round.findings.length > 0);
  const target = (name: string): string => name.replace(/-[12]/g, '');
  return `# The fault campaign

\`npm run faults -- --rounds N --seed ${firstSeed}\`: ${verdictOf(rounds)}.

A round is a deployment of its own (two apis behind a load balancer, two workers, one with bubblewrap and one with plain processes, Postgres, every line between them through a proxy), thirteen jobs (long, late, failing, stopped, retried, trivial, one that prints 20,000 lines at once), and an adversary that draws one to five faults from the seed: it kills (SIGKILL), pauses (SIGSTOP), cuts connections, silences lines (a partition that heals), refuses connections, fills a worker's disk and sets clocks wrong, singly and together, for moments or for longer than a lease (5 s). The round with seed N is played again by \`npm run faults -- --rounds 1 --seed N\`.

Then an auditor looks from the outside, by the API and at the system: every job ended once, with the status, reason and exit code its program earns; the lines of each attempt are numbered 1…n and were printed by one execution; those of the last attempt are all there, in order; a follower that was attached all the while saw each line once; every file of the output has the bytes that were written; no attempt was taken twice; no lease, attempt folder, process, cgroup or mount is left, and no half-written object but of an api that was killed in the middle of one (a later start removes it after an hour); and no attempt was lost in a round that killed no worker and let nothing between a worker and its lease hang for longer than a quarter of it, on a machine that had time for it (a stall: this very process was not let run for half a second, or a load of more than four a core).

${table(
  ['campaign', ''],
  [
    ['rounds', rounds.length],
    ['seeds', ranges(rounds.map((round) => round.seed))],
    ['rounds clean', rounds.length - failed.length],
    ['on Postgres alone', rounds.filter(({ shape }) => shape.queue === 'postgres').length],
    ['with Redis', rounds.filter(({ shape }) => shape.queue === 'redis').length],
    ['with MinIO', rounds.filter(({ shape }) => shape.store === 'minio').length],
    ['in which the machine itself stalled', rounds.filter((round) => round.stalled).length],
    ['in which a lost attempt would have counted', rounds.filter(countsLost).length],
    ['jobs', jobs.length],
    ['attempts', sum(jobs.map((job) => job.attempts))],
    ['lines audited', sum(jobs.map((job) => job.lines))],
    ['lines seen by followers', sum(jobs.map((job) => job.followed))],
    ['times a follower reconnected', sum(rounds.map((round) => round.reconnects))],
    ['bytes of output compared', sum(jobs.map((job) => job.bytes))],
    ['seconds a round, on average', (sum(rounds.map((round) => round.seconds)) / rounds.length).toFixed(1)],
  ],
)}

${table(
  ['jobs by end', ''],
  count(jobs, (job) => job.status),
)}

${table(
  ['fault', ''],
  count(
    faults,
    ({ act, target: name, seconds }) => `${act} ${target(name)}${seconds > 5 ? ', longer than a lease' : ''}`,
  ),
)}

${table(
  ['faults in a round', ''],
  count(rounds, (round) => String(round.faults.length)),
)}
${failed.map(failure).join('\n')}`;
}

/** A failed round, to be played again. */
export const failure = (round: Round): string => `
## Seed ${round.seed} failed

${JSON.stringify(round.shape)}

${round.faults.map((fault) => `- ${describeFault(fault)}`).join('\n')}

Found:

${round.findings.map((finding) => `- ${finding}`).join('\n')}
`;
