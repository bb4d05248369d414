import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from './config.js';
import { chooseLimits } from './limits/choose.js';
import { limitsText } from './limits/limits.js';
import { metadataAnswers } from './limits/metadata.js';
import { findResources } from './resources.js';
import { chooseRunners } from './runners/choose.js';
import { openLauncher } from './runners/launcher.js';

/** What a worker would find on this machine, for `mycloud doctor`, as a line of JSON on stdout. */
async function look(): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), 'mycloud-look-'));
  const config = readConfig({
    ...process.env,
    MYCLOUD_WORKER_TOKEN: 'none',
    MYCLOUD_WORKER_HOME: home,
    MYCLOUD_RUNNER: 'auto',
  });
  const { docker, dockerNetwork: network, jobsMetadata: metadata } = config;
  const limits = await chooseLimits(config.limits, home, config.jobsMetadata);
  const [runners, resources] = await Promise.all([
    chooseRunners({
      wanted: 'auto',
      slurm: null,
      docker,
      network,
      metadata,
      home,
      limits,
      launcher: openLauncher(),
    }),
    findResources(),
  ]);
  limits.close();
  await rm(home, { recursive: true });
  const found = {
    runner: runners.main.name,
    docker: runners.images ? docker : null,
    limits: { kind: limits.kind, enforced: limits.enforced, text: limitsText(limits) },
    metadata: { ...limits.metadata, answers: await metadataAnswers() },
    imagesMetadata: runners.imagesMetadata,
    gpus: resources.gpus,
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

await look();
