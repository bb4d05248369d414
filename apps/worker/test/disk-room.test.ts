import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mayMount, mountSmall, type SmallDisk } from '../../../test/support/small-disk.js';
import { World } from './support/world.js';

let world: World;
let disk: SmallDisk;
beforeAll(async () => {
  if (!mayMount) return;
  world = await World.open();
  mkdirSync(path.join(world.home, 'small'));
  disk = mountSmall(path.join(world.home, 'small'), '64m');
  await world.start('process', {
    MYCLOUD_WORKER_HOME: path.join(world.home, 'small'),
    MYCLOUD_DISK_RESERVE_BYTES: '0',
  });
});
afterAll(async () => {
  if (!mayMount) return;
  disk.unmount('lazily');
  await world.close();
});

it.runIf(mayMount)('knows the exit code of a job that ends while the disk is full', async () => {
  const jobId = world.submit('echo begun; while [ ! -e "$MYCLOUD_CODE/go" ]; do sleep 0.1; done; exit 7');
  await world.line(jobId, 'begun');
  const folder = path.join(world.home, 'small/attempts', `${jobId}.1`);
  const full = path.join(world.home, 'small/full');
  writeFileSync(path.join(folder, 'code/go'), '');
  execFileSync('sh', ['-c', `dd if=/dev/zero of=${full} bs=64k 2>/dev/null; true`]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  rmSync(full);
  const { finish } = await world.finished(jobId);
  // It is told as the job's own end, or as the disk's fault, and never as a kill.
  expect(['exit_nonzero', 'disk_full']).toContain(finish?.reason);
});

it.runIf(mayMount)(
  'gives back at once what it can not begin on a full disk, and takes jobs again when there is room',
  async () => {
    const full = path.join(world.home, 'small/full');
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${full} bs=64k 2>/dev/null; true`]);
    // The claim that waited at the api when the disk filled up gets the first one.
    const first = await world.finished(world.submit('echo never'));
    expect(first.finish?.reason).toBe('disk_full');
    expect(readdirSync(path.join(world.home, 'small/attempts'))).toEqual([]);
    const polls = world.api.polls;
    const second = world.submit('echo at last');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(world.api.polls).toBe(polls);
    rmSync(full);
    expect((await world.finished(second)).finish?.reason).toBe('exit_zero');
  },
);
