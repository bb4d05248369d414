import { floydRoutes as contract, floydEnvironment, floydEnvironmentNames } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';

/**
 * One of ours by the name a user of floyd knows it by. FloydHub's own names come first: its `default` and `tensorflow` ran
 * Python, and ours of these names run the TypeScript trainer.
 */
export const environmentOf = ({ catalogue }: Deps, name: string): string => {
  const { environment } = floydEnvironment(name) ?? { environment: name };
  return catalogue.environment(environment ?? name).name;
};

/** The kinds of machines, by which the client asks; the same environments are for all of them. */
const kinds = ['cpu', 'gpu', 'gpu2'];

export function environmentRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.environments, () => {
    const names = [
      ...floydEnvironmentNames.filter((name) => floydEnvironment(name)?.environment),
      ...deps.catalogue.environments.map(({ name }) => name),
    ];
    const all = Object.fromEntries(names.map((name) => [name, floydEnvironment(name)?.environment ?? name]));
    return Object.fromEntries(kinds.map((kind) => [kind, all]));
  });
}
