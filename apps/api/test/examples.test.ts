import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RouteContract } from '@mycloud/shared';
import * as shared from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from './support/world.js';

/** In the order of a job's life: what an example is about has been made by one before it. */
const contracts = Object.entries(shared)
  .filter(([name]) => name.endsWith('Routes'))
  .flatMap(([, routes]) => Object.values(routes as unknown as Record<string, RouteContract>));
const withExamples = contracts.filter(({ example }) => example).sort((a, b) => order(a) - order(b));

function order({ method, path: where }: RouteContract): number {
  const creating = method === 'POST' && !where.includes(':number');
  return (creating ? 0 : 1000) + where.split('/').length;
}

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('the examples at /docs', () => {
  it.each(withExamples.map((contract) => [`${contract.method} ${contract.path}`, contract] as const))(
    '%s is answered',
    async (_, contract) => {
      const answer = await world.lab.call(contract, contract.example as never);
      expect(answer).toBeDefined();
    },
  );

  it('stand in the description of the routes', () => {
    const file = path.resolve(import.meta.dirname, '../../../docs/openapi.json');
    const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
      paths: Record<string, Record<string, object>>;
    };
    const text = JSON.stringify(paths['/v1/projects/{owner}/{project}/jobs']!.post);
    expect(text).toContain('"example":{"command":"train --epochs 30 --logdir /output/Graph"');
    expect(text).toContain('"example":"dogsvscats"');
    expect(withExamples.length).toBeGreaterThan(10);
  });
});
