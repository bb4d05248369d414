import { afterAll, beforeAll, expect, it } from 'vitest';
import { mayMount, mountSmall, type SmallDisk } from '../../../test/support/small-disk.js';
import { jobLines, localRunners, World } from './support/world.js';

const MiB = 2 ** 20;
let world: World;
let disk: SmallDisk;

beforeAll(async () => {
  if (!mayMount) return;
  world = await World.open();
  disk = mountSmall(world.home, '120m');
  await world.start(localRunners.at(-1)!, {
    MYCLOUD_SLOTS: '4',
    MYCLOUD_DISK_RESERVE_BYTES: String(30 * MiB),
  });
});
afterAll(async () => {
  if (!mayMount) return;
  await world.close(() => disk.unmount());
});

it.runIf(mayMount)('a job that fills the disk of its worker is ended before others lose a line', async () => {
  const lines = world.submit(
    'for i in $(seq 1 60); do echo $i; sleep 0.1; done; echo kept >$MYCLOUD_OUTPUT/a',
  );
  const command =
    'i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero >$MYCLOUD_OUTPUT/f$i; sleep 0.05; done';
  const greedy = await world.finished(world.submit(command));
  expect(greedy.finish?.reason).toBe('disk_limit');
  expect(greedy.finish?.detail).toMatch(
    /^the worker's disk has \d+\.\d MiB left and this job used most of it/,
  );
  const other = await world.finished(lines);
  expect(other.finish?.reason).toBe('exit_zero');
  expect(other.finish?.outputSnapshotId).not.toBeNull();
});

const kilobyte = '$(head -c 1000 /dev/zero | tr "\\0" x)';
const floods = {
  // About 100 MB a second, more than its lines can be sent.
  'prints without end': `yes "${kilobyte}" | head -n 1000 >block; while :; do cat block; sleep 0.008; done`,
  // Full before anybody can look.
  'fills the disk with its log at once': `exec yes "${kilobyte}"`,
};

it.runIf(mayMount).each(Object.entries(floods))(
  'a job that %s is ended alone, and its first lines are kept',
  async (_, command) => {
    const quiet = world.submit('for i in $(seq 1 60); do echo $i; sleep 0.1; done 2>/dev/null; true');
    const flood = await world.finished(world.submit(command));
    expect(flood.finish?.reason).toBe('disk_limit');
    const lines = jobLines(flood);
    expect(lines.length).toBeGreaterThan(1000);
    expect(lines.slice(0, 1000).every((line) => line === 'x'.repeat(1000))).toBe(true);
    const other = await world.finished(quiet);
    expect(other.finish?.reason).toBe('exit_zero');
    // On a disk that is full nobody can write; where it was looked at in time, nothing is lost.
    if (command.includes('sleep')) expect(jobLines(other)).toHaveLength(60);
  },
);
