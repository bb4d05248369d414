import { expect, it } from 'vitest';
import { Deployment } from './deployment.js';
import { failure } from './report.js';
import { endDeployment, playRound, shapeOf } from './round.js';

/** Two rounds of one deployment; `npm run faults` plays many more, on every shape of one. */
const seeds = [1, 2];

it('ends each job once and rightly, and loses nothing of what it wrote, whatever is killed, paused or cut off', async () => {
  const deployment = await Deployment.start(shapeOf(seeds[0] as number));
  let failures = '';
  for (const seed of seeds) {
    const round = await playRound(deployment, seed);
    expect(round.jobs.length).toBeGreaterThan(10);
    if (round.findings.length > 0) failures += failure(round);
  }
  const left = await endDeployment(deployment);
  expect(failures).toBe('');
  expect(left).toEqual([]);
}, 400_000);
