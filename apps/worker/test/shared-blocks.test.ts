import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasReflinks, mountReflinks } from '../../../test/support/reflinks.js';
import { jobLines, World } from './support/world.js';

const MiB = 2 ** 20;

describe.runIf(hasReflinks)('where files may share blocks, by the process runner', () => {
  let world: World;
  let data: string;
  let home: string;
  let unmount: () => void;

  beforeAll(async () => {
    world = await World.open();
    data = mkdtempSync(path.join(tmpdir(), 'worker-data-'));
    home = mkdtempSync(path.join(tmpdir(), 'worker-home-'));
    unmount = mountReflinks(home, 400 * MiB);
    await world.start('process', { MYCLOUD_WORKER_HOME: home, MYCLOUD_DISK_RESERVE_BYTES: '0' });
  });
  afterAll(async () => {
    await world.close();
    unmount();
    for (const dir of [data, home]) rmSync(dir, { recursive: true });
  });

  const usedBytes = (): number => {
    const { bsize, blocks, bfree } = statfsSync(home);
    return (blocks - bfree) * bsize;
  };

  it('an input costs no second copy, and what a job writes into it stays its own', async () => {
    const bytes = randomBytes(64 * MiB);
    writeFileSync(path.join(data, 'weights'), bytes);
    const { snapshotId, hash } = await uploadFolder({ client: world.api.snapshots.client, dir: data });
    const mounts = [{ name: 'input', snapshotId, snapshot: hash }];
    const run = async (command: string): Promise<string[]> => {
      const job = await world.finished(world.submit(command, { mounts }));
      expect(job.finish).toMatchObject({ reason: 'exit_zero' });
      return jobLines(job);
    };

    await run('test -r $MYCLOUD_INPUT/weights');
    const cached = usedBytes();
    expect(cached).toBeGreaterThan(64 * MiB);
    const [used] = await run(`
      chmod u+w $MYCLOUD_INPUT/weights
      printf poison | dd of=$MYCLOUD_INPUT/weights bs=1M seek=32 conv=notrunc status=none
      sync; df -B1 --output=used $MYCLOUD_INPUT | tail -n 1`);
    expect(Number(used) - cached).toBeLessThan(8 * MiB);
    const sum = createHash('sha256').update(bytes).digest('hex');
    expect(await run('sha256sum <$MYCLOUD_INPUT/weights')).toEqual([`${sum}  -`]);
  }, 60_000);
});
