import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Deployment } from './deployment.js';
import { failure, verdictOf, writeReport } from './report.js';
import { endDeployment, keepLogs, playRound, type Round, seedsOfShape, shapeOf } from './round.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Rounds played at the same time. */
    'at-once': { type: 'string', default: '1' },
    /** Where the report goes; without it nothing is written. */
    report: { type: 'string' },
    /** A file that keeps each round as a line of JSON: those in it are reported too and not played again. */
    keep: { type: 'string' },
  },
});
const [rounds, firstSeed, atOnce] = [values.rounds, values.seed, values['at-once']].map((text) => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) {
    process.stderr.write(`${text}: write a whole number\n`);
    process.exit(2);
  }
  return number;
}) as [number, number, number];

const kept = values.keep && existsSync(values.keep) ? readFileSync(values.keep, 'utf8') : '';
const done: Round[] = kept
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Round)
  .filter(({ seed }) => seed >= firstSeed && seed < firstSeed + rounds);
const played = new Set(done.map(({ seed }) => seed));
let next = firstSeed;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

// Ended early it plays the rounds that are under way to their end, and reports what there was.
let ending = false;
process.once('SIGTERM', () => {
  ending = true;
});

/** The seeds of one shape from the next one on; none when all are given out. */
function takeSeeds(): number[] {
  while (next < firstSeed + rounds) {
    const end = Math.min(firstSeed + rounds, (Math.floor(next / seedsOfShape) + 1) * seedsOfShape);
    const seeds = Array.from({ length: end - next }, (_, i) => next + i).filter((seed) => !played.has(seed));
    next = end;
    if (seeds.length > 0) return seeds;
  }
  return [];
}

function report(round: Round): void {
  done.push(round);
  if (values.keep) appendFileSync(values.keep, `${JSON.stringify(round)}\n`);
  const lines = round.jobs.reduce((all, job) => all + job.lines, 0);
  const verdict = round.findings.length === 0 ? 'clean' : 'FAILED';
  const { shape, faults, jobs, seconds, seed } = round;
  print(
    `seed ${seed}: ${verdict}, ${shape.queue}, ${shape.store}, ${faults.length} faults, ${jobs.length} jobs, ${lines} lines, ${seconds.toFixed(1)} s`,
  );
  if (round.findings.length > 0) print(failure(round));
}

/** Plays rounds on one deployment until one of them fails. @returns the seeds that are left */
async function playOn(seeds: number[]): Promise<number[]> {
  const deployment = await Deployment.start(shapeOf(seeds[0] as number));
  const left = [...seeds];
  let round: Round | undefined;
  while (left.length > 0 && !round?.findings.length && !ending) {
    if (round) report(round);
    round = await playRound(deployment, left.shift() as number, rounds === 1 ? print : undefined);
  }
  if (round?.findings.length) await keepLogs(deployment, round.seed);
  const findings = await endDeployment(deployment);
  if (round) report({ ...round, findings: [...round.findings, ...findings] });
  return left;
}

async function playAll(): Promise<void> {
  for (let seeds = takeSeeds(); seeds.length > 0 && !ending; seeds = takeSeeds()) {
    while (seeds.length > 0 && !ending) seeds = await playOn(seeds);
  }
}

await Promise.all(Array.from({ length: Math.max(1, atOnce) }, playAll));
done.sort((a, b) => a.seed - b.seed);
if (values.report) await writeFile(path.resolve(values.report), writeReport(done, firstSeed));
print(verdictOf(done));
process.exitCode = done.some((round) => round.findings.length > 0) ? 1 : 0;
