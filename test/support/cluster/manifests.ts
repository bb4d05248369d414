import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { checkout } from './compose.js';

export const manifestFolder = path.join(checkout, 'deploy/kubernetes');

const variableSchema = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.object({ fieldRef: z.object({ fieldPath: z.string() }) }).optional(),
});
const podSchema = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()) }).optional(),
  spec: z.looseObject({
    securityContext: z.looseObject({ runAsNonRoot: z.literal(true) }),
    automountServiceAccountToken: z.literal(false),
    containers: z.array(
      z.looseObject({
        name: z.string(),
        image: z.string(),
        env: z.array(variableSchema).default([]),
        envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
        readinessProbe: z.unknown().optional(),
        livenessProbe: z.unknown().optional(),
        volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
      }),
    ),
    volumes: z.array(
      z.looseObject({
        name: z.string(),
        secret: z
          .looseObject({ items: z.array(z.object({ key: z.string(), path: z.string() })).optional() })
          .optional(),
      }),
    ),
  }),
});
const manifestSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  data: z.record(z.string(), z.string()).optional(),
  spec: z
    .looseObject({
      template: podSchema.optional(),
      selector: z.unknown().optional(),
      replicas: z.number().optional(),
    })
    .optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const manifestFiles = (): string[] =>
  readdirSync(manifestFolder).filter((name) => name !== 'kustomization.yaml');

/** Every object of deploy/kubernetes. */
export const readManifests = (): Manifest[] =>
  manifestFiles().flatMap((file) =>
    parseAllDocuments(readFileSync(path.join(manifestFolder, file), 'utf8')).map((document) =>
      manifestSchema.parse(document.toJS()),
    ),
  );

export interface Container {
  /** Kind and name of what it belongs to. */
  of: string;
  image: string;
  /** What stands in its environment; a field of the pod as `$(field)`. */
  env: Record<string, string>;
  /** Files of secrets that it sees. */
  files: string[];
}

/** What each container is given, config maps put in. */
export function containersOf(manifests: Manifest[]): Container[] {
  const maps = new Map(
    manifests.filter(({ kind }) => kind === 'ConfigMap').map((map) => [map.metadata.name, map.data]),
  );
  return manifests.flatMap(({ kind, metadata, spec }) =>
    (spec?.template?.spec.containers ?? []).map((container) => {
      const env: Record<string, string> = {};
      for (const { configMapRef } of container.envFrom) {
        const map = maps.get(configMapRef.name);
        if (!map)
          throw new Error(`${metadata.name} names a config map ${configMapRef.name} that is not there`);
        Object.assign(env, map);
      }
      for (const { name, value, valueFrom } of container.env)
        env[name] = value ?? `$(${valueFrom?.fieldRef.fieldPath})`;
      const files = container.volumeMounts.flatMap(({ name, mountPath }) => {
        const volume = spec?.template?.spec.volumes.find((one) => one.name === name);
        const keys = volume?.secret?.items?.map((item) => item.path) ?? (volume?.secret ? secretKeys() : []);
        return keys.map((key) => path.posix.join(mountPath, key));
      });
      return { of: `${kind} ${metadata.name}`, image: container.image, env, files };
    }),
  );
}

/** Keys of the secret, as kustomization.yaml says to make it. */
export function secretKeys(): string[] {
  const text = readFileSync(path.join(manifestFolder, 'kustomization.yaml'), 'utf8');
  return [...text.matchAll(/--from-literal=([\w-]+)=/g)].map(([, key = '']) => key);
}
