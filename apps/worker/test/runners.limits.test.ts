import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownCgroups } from '../src/limits/cgroup-mounts.js';
import { jobLines, runners, until, World } from './support/world.js';

const MiB = 2 ** 20;
const small = { name: 'cpu', cores: 1, memoryBytes: 96 * MiB, gpus: 0 };
/** Takes 300 MB and keeps them. */
const greedy = `head -c 300000000 /dev/zero | tail -n 1 | wc -c`;
/** Two shells that do nothing but compute until the second after next; prints the CPU time they took. */
const busy = `t() { end=$(($(date +%s)+2)); while [ $(date +%s) -lt $end ]; do :; done; }; t & t & wait; times | tail -1`;

/** Slurm holds jobs to what its administrator lets it: runners.slurm.test.ts. */
const holding = runners.filter((name) => name !== 'slurm');

describe.each(holding)('what holds a job to its machine, by the %s runner', (runner) => {
  let world: World;
  let said: string;
  beforeAll(async () => {
    world = await World.open();
    const worker = await world.start(runner, {
      MYCLOUD_SLOTS: '6',
      MYCLOUD_JOB_PROCESSES: '60',
      MYCLOUD_JOB_DISK_BYTES: String(12 * MiB),
    });
    said = worker.output();
  });
  afterAll(() => world.close());

  it('is said in the first lines of the worker and of the job, and at the registration', async () => {
    expect(said).toMatch(/"limits":"(cgroup v[12]|docker) holds memory, CPU and processes"/);
    const attempt = await world.finished(world.submit('true'));
    expect(attempt.lines.map((line) => line.text).join('\n')).toContain('holds memory, CPU and processes');
    expect(world.api.registered.at(-1)).toMatchObject({ limits: expect.stringContaining('holds memory') });
  });

  it('ends one that takes too much memory, and says what it had', async () => {
    const attempt = await world.finished(world.submit(`set -o pipefail; ${greedy}`, { machine: small }));
    expect(attempt.finish?.reason).toBe('out_of_memory');
    expect(attempt.finish?.detail).toMatch(/^used 9[0-9]\.\d of 96\.0 MiB at \d\d:\d\d$/);
    expect(jobLines(attempt)).not.toContain('300000000');
  });

  it('knows it from the kernel when only a child was killed and the shell ended with 1', async () => {
    const attempt = await world.finished(
      world.submit(`set -o pipefail; ${greedy} || exit 1`, { machine: small }),
    );
    expect(attempt.finish).toMatchObject({ reason: 'out_of_memory', exitCode: 1 });
  });

  it('lets a job succeed that copes with the loss of a child, and says it in its log', async () => {
    const attempt = await world.finished(
      world.submit(`set -o pipefail; ${greedy} || echo coped`, { machine: small }),
    );
    expect(attempt.finish?.reason).toBe('exit_zero');
    const system = attempt.lines.filter((line) => line.source === 'system').map((line) => line.text);
    expect(system.at(-1)).toBe('out of memory: the system killed a process of the job');
  });

  it('takes a SIGKILL of its own for what it is', async () => {
    const attempt = await world.finished(world.submit('kill -9 $$'));
    expect(attempt.finish).toMatchObject({ reason: 'killed_by_signal', detail: 'SIGKILL' });
  });

  it('contains a fork bomb, beside which another job runs on', async () => {
    // Not to be tried where nothing would contain it.
    expect(said).toContain('holds memory, CPU and processes');
    const bomb = world.submit(`sh -c 'b() { b | b & }; b' 2>/dev/null; sleep 2; echo survived`);
    const other = world.submit('for i in 1 2 3 4 5; do true | cat; sleep 0.2; done; echo unharmed');
    expect(jobLines(await world.finished(other))).toContain('unharmed');
    await world.finished(bomb);
  });

  it('gives it the CPU of its machine and no more', async () => {
    const attempt = await world.finished(world.submit(busy, { machine: { ...small, cores: 0.2 } }));
    const spent = jobLines(attempt)
      .at(-1)!
      .split(' ')
      .map((part) => /(\d+)m([\d.]+)s/.exec(part)!)
      .reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
    // Two loops of up to two seconds, unbound: two to four.
    expect(spent).toBeLessThan(1);
  });

  it.each([
    ['/output', '$MYCLOUD_OUTPUT'],
    ['its temporary files', '$TMPDIR'],
    ['its code', '$MYCLOUD_CODE'],
  ])('ends one that fills the disk by %s, alone', async (_, folder) => {
    const other = world.submit('echo mine >$MYCLOUD_OUTPUT/a; sleep 3; echo fine');
    const command = `i=0; while :; do i=$((i+1)); head -c 2000000 /dev/zero >${folder}/f$i; sleep 0.05; done`;
    const attempt = await world.finished(world.submit(command), 50);
    expect(attempt.finish?.reason).toBe('disk_limit');
    expect(attempt.finish?.detail).toMatch(/^used \d{2,}\.\d of 12\.0 MiB$/);
    expect((await world.finished(other)).finish?.reason).toBe('exit_zero');
  });

  it('leaves nothing of it behind', async () => {
    await until(() => readdirSync(path.join(world.home, 'attempts')).length === 0, 'the folders to go');
    await until(() => cells().length === 0, 'the cgroups to go');
  });

  /** The cells of this worker. */
  function cells(): string[] {
    const { v1, v2 } = ownCgroups();
    const homes = [...v1.values(), ...(v2 ? [v2, { dir: v2.mount }] : [])].flatMap(({ dir }) =>
      readdirSync(dir)
        .filter((name) => name === world.cells)
        .map((name) => path.join(dir, name)),
    );
    return homes.flatMap((dir) =>
      readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => path.join(dir, entry.name)),
    );
  }
});

describe('where there are no cgroups', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start('process', { MYCLOUD_LIMITS: 'prlimit' });
  });
  afterAll(() => world.close());

  it('a process that wants too much is refused memory, which is told apart from another failure', async () => {
    const attempt = await world.finished(
      world.submit(`python3 -c 'a = bytearray(1500 << 20)'`, { machine: small }),
    );
    expect(attempt.finish?.reason).toBe('out_of_memory');
    expect(attempt.finish?.detail).toContain('MemoryError');
  });

  it('programs that only reserve much run as ever', async () => {
    const wasm = `node -e 'new WebAssembly.Memory({ initial: 1, maximum: 65536 }); console.log("ran")'`;
    expect(jobLines(await world.finished(world.submit(wasm, { machine: small })))).toEqual(['ran']);
  });
});
