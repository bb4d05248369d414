import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const checkout = path.resolve(import.meta.dirname, '../../..');

const serviceSchema = z.looseObject({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string(), target: z.string() }).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  restart: z.string().optional(),
});
export type ComposeService = z.infer<typeof serviceSchema>;

const composeSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});
export type Compose = z.infer<typeof composeSchema>;

/**
 * docker-compose.yml with variables put in as Compose does: `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, `$$`.
 * @throws Error for one that has to be set and isn't
 */
export function composeText(env: Record<string, string>): string {
  const text = readFileSync(path.join(checkout, 'docker-compose.yml'), 'utf8');
  return text.replace(
    /\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (found, name?: string, kind?: string, rest = '') => {
      if (name === undefined) return found.slice(1);
      const value = env[name];
      if (value) return value;
      if (kind === '-') return rest;
      throw new Error(`${name} is not set${kind === '?' ? `: ${rest}` : ''}`);
    },
  );
}

export const readCompose = (env: Record<string, string>): Compose =>
  composeSchema.parse(parse(composeText(env), { merge: true }));

/** Of a service; one that isn't there is a mistake. */
export function serviceOf(compose: Compose, name: string): ComposeService {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}
