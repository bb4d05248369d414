import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chooseLimits } from './limits/choose.js';
import { limitsText } from './limits/limits.js';
import { findResources } from './resources.js';
import { bubblewrapWorks } from './runners/bubblewrap.js';

/** What a worker would find on this machine, for `mycloud doctor`, as a line of JSON on stdout. */
async function look(): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), 'mycloud-look-'));
  const [bubblewrap, limits, resources] = await Promise.all([
    bubblewrapWorks(),
    chooseLimits('auto', home),
    findResources(),
  ]);
  limits.close();
  await rm(home, { recursive: true });
  const { enforced, kind } = limits;
  const found = { bubblewrap, limits: { kind, enforced, text: limitsText(limits) }, gpus: resources.gpus };
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

await look();
