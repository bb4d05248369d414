import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { reasonSentence } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mayMount, mountSmall, type SmallDisk } from '../../../test/support/small-disk.js';
import { jobLines, localRunners, World } from './support/world.js';

const MiB = 2 ** 20;

describe.runIf(mayMount).each(localRunners)("a full disk at the worker's, by the %s runner", (runner) => {
  let world: World;
  let data: string;
  let home: string;
  let disk: SmallDisk;

  beforeAll(async () => {
    world = await World.open();
    data = mkdtempSync(path.join(tmpdir(), 'worker-data-'));
    home = mkdtempSync(path.join(tmpdir(), 'worker-home-'));
    disk = mountSmall(home, '24m');
    await world.start(runner, { MYCLOUD_WORKER_HOME: home, MYCLOUD_DISK_RESERVE_BYTES: '0' });
  });
  afterAll(async () => {
    await world.close();
    disk.unmount();
    for (const dir of [data, home]) rmSync(dir, { recursive: true });
  });

  it('ends the job and says why, leaves nothing behind, and runs the next one', async () => {
    for (let i = 0; i < 5; i++) writeFileSync(path.join(data, `f${i}`), randomBytes(8 * MiB));
    const { snapshotId, hash } = await uploadFolder({ client: world.api.snapshots.client, dir: data });
    const mounts = [{ name: 'input', snapshotId, snapshot: hash }];
    const needsIt = 'cat $MYCLOUD_INPUT/f* | wc -c';

    const { finish } = await world.finished(world.submit(needsIt, { mounts }));
    expect(finish).toMatchObject({ reason: 'disk_full', detail: expect.stringContaining('ENOSPC') });
    expect(reasonSentence('disk_full', finish!.detail)).toMatch(/^the disk is full: ENOSPC/);

    // What had been fetched is gone again: there is room for a job, and for its output of 10 MiB.
    const small = world.submit('head -c 10485760 /dev/zero > $MYCLOUD_OUTPUT/ten; echo fine');
    expect((await world.finished(small)).finish).toMatchObject({ reason: 'exit_zero' });

    disk.resize('160m');
    const again = await world.finished(world.submit(needsIt, { mounts }));
    expect(again.finish).toMatchObject({ reason: 'exit_zero' });
    expect(jobLines(again)).toEqual([String(40 * MiB)]);
  }, 120_000);
});
