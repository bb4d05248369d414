import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import * as api from '../apps/api/src/config.js';
import { readConfig, secretSettings, settings } from '../apps/worker/src/config.js';
import { checkout, composeText, readCompose, serviceOf } from './support/cluster/compose.js';
import {
  type Container,
  containersOf,
  manifestFiles,
  manifestFolder,
  readManifests,
  secretKeys,
} from './support/cluster/manifests.js';
import { wantProgram } from './support/require.js';

/** A Python with compose-spec and kubernetes-validate. */
const python = process.env.MYCLOUD_TEST_DEPLOY_PYTHON;
if (!python && process.env.MYCLOUD_TEST_STRICT === '1')
  throw new Error('MYCLOUD_TEST_DEPLOY_PYTHON must name a Python with compose-spec and kubernetes-validate');
const haproxy = wantProgram('haproxy', ['/usr/sbin/haproxy']);

const address = { MYCLOUD_ADDRESS: 'lab.example.org' };
const compose = readCompose(address);

interface Program {
  settings: { shape: Record<string, unknown> };
  secretSettings: readonly string[];
  readConfig(env: Record<string, string | undefined>): unknown;
}
const programOf: Record<string, Program> = {
  'mycloud-api': { settings: api.settings, secretSettings: api.secretSettings, readConfig: api.readConfig },
  'mycloud-worker': { settings, secretSettings, readConfig },
};

/** Secret where there is a password in it. */
const mayBeShown = ['DATABASE_URL', 'REDIS_URL', 'MYCLOUD_QUEUE_URL', 'S3_ACCESS_KEY'];

/** Every variable is one that the program reads, nothing is missing, and no secret stands in the open. */
function checkVariables({ image, env, files }: Omit<Container, 'of'>): void {
  const program = programOf[image]!;
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const secret = /^(\w+)_FILE$/.exec(name)?.[1];
    if (secret) {
      expect(program.secretSettings, `${name} of ${image}`).toContain(secret);
      expect(files, name).toContain(value);
      values[secret] = 'x'.repeat(32);
      continue;
    }
    expect(Object.keys(program.settings.shape), `what ${image} reads`).toContain(name);
    if (program.secretSettings.includes(name)) {
      expect(mayBeShown, `${name} of ${image} in the open`).toContain(name);
      if (URL.canParse(value)) expect(new URL(value).password).toBe('');
    }
    values[name] = value.replace(/\$\([\w.]+\)/, '10.1.2.3');
  }
  // The program itself says of anything wrong or missing, such as an S3_ENDPOINT without keys.
  program.readConfig(values);
}

const composeContainers = ['api-1', 'api-2', 'worker'].map((name) => {
  const { image, environment, secrets } = serviceOf(compose, name);
  return { of: name, image, env: environment, files: secrets.map((secret) => `/run/secrets/${secret}`) };
});
const manifests = readManifests();
const podContainers = containersOf(manifests).map((container) => {
  const { POD_IP, ...env } = container.env;
  // A field of the pod under a name of ours, put into the one after it.
  if (POD_IP) for (const name of Object.keys(env)) env[name] = env[name]!.replace('$(POD_IP)', POD_IP);
  return { ...container, env };
});

describe('docker-compose.yml', () => {
  it.each(composeContainers)('gives $of variables that its program reads, and all it needs', checkVariables);

  it('keeps the database and the store from the worker', () => {
    expect(serviceOf(compose, 'worker').secrets).toEqual(['worker_token', 'redis_password']);
  });

  it('names files, volumes and secrets that are there, and looks after the health of all that serves', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      for (const secret of service.secrets) expect(compose.secrets, name).toHaveProperty(secret);
      for (const [source = ''] of service.volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('.')) expect(existsSync(path.join(checkout, source)), source).toBe(true);
        else expect(compose.volumes, name).toHaveProperty(source);
      }
      expect(service.restart, name).toBe('unless-stopped');
      if (name !== 'worker') expect(service.healthcheck, name).toBeDefined();
      const { build } = service;
      if (build) expect(dockerfile()).toMatch(new RegExp(`^FROM \\S+ AS ${build.target}$`, 'm'));
    }
  });

  it('reads the secrets that make-secrets.sh makes', () => {
    const script = readFileSync(path.join(checkout, 'deploy/make-secrets.sh'), 'utf8');
    const made = /for name in (.*); do/.exec(script)?.[1]?.split(' ') ?? [];
    expect(made.sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const [name, { file }] of Object.entries(compose.secrets))
      expect(file).toBe(`deploy/secrets/${name}`);
  });

  it.skipIf(!python)('is what the Compose specification allows', () => {
    const check = 'import compose_spec, sys; compose_spec.PyCompose.from_yaml(sys.stdin.read())';
    // It knows no `<<`, which is YAML's and not Compose's.
    const merged = stringify(parse(composeText(address), { merge: true }), { aliasDuplicateObjects: false });
    const read = (text: string) => execFileSync(python!, ['-c', check], { input: text, stdio: 'pipe' });
    read(merged);
    expect(() => read(merged.replaceAll('healthcheck:', 'healthchecks:'))).toThrow();
  });

  it('says which variable has to be set', () => {
    expect(() => readCompose({})).toThrow(/MYCLOUD_ADDRESS is not set: the name or address/);
  });
});

const dockerfile = () => readFileSync(path.join(checkout, 'deploy/Dockerfile'), 'utf8');

describe('the manifests of Kubernetes', () => {
  it.each(podContainers)('give $of variables that its program reads, and all it needs', checkVariables);

  it('give an api what docker-compose.yml gives it', () => {
    const names = (env: Record<string, string>) =>
      Object.keys(env)
        .map((name) => name.replace(/_FILE$/, ''))
        .sort();
    const [pod] = podContainers.filter(({ of }) => of === 'Deployment mycloud-api');
    expect(names(pod!.env)).toEqual(names(composeContainers[0]!.env));
    const workers = podContainers.filter(({ image }) => image === 'mycloud-worker');
    expect(workers).toHaveLength(2);
    // Which machines each kind of node offers.
    for (const { env } of workers)
      expect(names(env).filter((name) => name !== 'MYCLOUD_WORKER_MACHINES')).toEqual(
        names(composeContainers[2]!.env),
      );
  });

  it('keep two apis there through upgrades and drained nodes, and let workers see two secrets only', () => {
    const named = (kind: string, name: string) =>
      manifests.find((one) => one.kind === kind && one.metadata.name === name)!;
    const deployment = named('Deployment', 'mycloud-api').spec!;
    expect(deployment.replicas).toBeGreaterThanOrEqual(2);
    const labels = deployment.template!.metadata!.labels;
    expect(named('PodDisruptionBudget', 'mycloud-api').spec!.selector).toEqual({ matchLabels: labels });
    expect(named('Service', 'mycloud-api').spec!.selector).toEqual(labels);
    const [container] = deployment.template!.spec.containers;
    expect(container!.readinessProbe).toBeDefined();
    expect(container!.livenessProbe).toBeDefined();
    for (const { of, files } of podContainers.filter(({ image }) => image === 'mycloud-worker'))
      expect(files.map((file) => path.basename(file)).sort(), of).toEqual(['redis-password', 'worker-token']);
  });

  it('are all named by kustomization.yaml, with a secret whose every key is used', () => {
    const text = readFileSync(path.join(manifestFolder, 'kustomization.yaml'), 'utf8');
    expect((parse(text) as { resources: string[] }).resources.sort()).toEqual(manifestFiles().sort());
    const used = new Set(
      podContainers.flatMap(({ env }) => Object.values(env).map((value) => path.basename(value))),
    );
    for (const key of secretKeys()) expect(used, key).toContain(key);
  });

  it.skipIf(!python)('are what Kubernetes allows', () => {
    const program = path.join(path.dirname(python!), 'kubernetes-validate');
    for (const file of manifestFiles())
      execFileSync(program, ['-k', '1.33', '--strict', path.join(manifestFolder, file)], { stdio: 'pipe' });
  });
});

describe('the proxy', () => {
  const environment = serviceOf(compose, 'proxy').environment;
  const file = path.join(checkout, 'deploy/haproxy.cfg');

  it('is given every variable of its configuration', () => {
    const used = [...readFileSync(file, 'utf8').matchAll(/"\$\{(\w+)\}"/g)].map(([, name]) => name);
    expect(used.sort()).toEqual(Object.keys(environment).sort());
  });

  it.skipIf(!haproxy)('has a configuration that HAProxy takes', () => {
    execFileSync(haproxy!, ['-c', '-f', file], {
      env: { ...environment, PATH: process.env.PATH },
      stdio: 'pipe',
    });
  });
});
