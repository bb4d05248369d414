import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cellMemory } from '../src/limits/cgroup-cell.js';
import { ownCgroups } from '../src/limits/cgroup-mounts.js';
import { cgroupV2 } from '../src/limits/cgroup-v2.js';
import { limitsText } from '../src/limits/limits.js';

/** A folder that looks like cgroup v2's tree does to the user of a unit that systemd delegated. Nothing in it acts. */
describe('cgroup v2, on a tree of plain files', () => {
  let root: string;
  const file = (...names: string[]): string => path.join(root, ...names);
  const read = (...names: string[]): string => readFileSync(file(...names), 'utf8').trim();
  const unit = 'user.slice/user@1000.service/mycloud.service';

  function tree(controllers: string): ReturnType<typeof ownCgroups> {
    mkdirSync(file('mount', unit), { recursive: true });
    writeFileSync(file('mount', unit, 'cgroup.controllers'), `${controllers}\n`);
    writeFileSync(file('mount', unit, 'cgroup.subtree_control'), '\n');
    writeFileSync(file('mount', unit, 'cgroup.type'), 'domain\n');
    writeFileSync(file('mount', unit, 'cgroup.procs'), '4711\n');
    mkdirSync(file('proc'));
    writeFileSync(file('proc/cgroup'), `0::/${unit}\n`);
    writeFileSync(file('proc/mounts'), `cgroup2 ${file('mount')} cgroup2 rw,nosuid,nsdelegate 0 0\n`);
    return ownCgroups(file('proc'));
  }

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'cgroup-test-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('moves its own processes to a leaf, hands the controllers down, and writes the limits of a job', () => {
    const own = tree('cpu memory pids');
    const limits = cgroupV2(own.v2!, 'mycloud-home');
    expect(limitsText(limits!)).toBe('cgroup v2 holds memory, CPU and processes');
    expect(read('mount', unit, 'mycloud-worker/cgroup.procs')).toBe('4711');
    expect(read('mount', unit, 'cgroup.subtree_control')).toBe('+memory +cpu +pids');
    expect(read('mount', unit, 'mycloud-home/cgroup.subtree_control')).toBe('+memory +cpu +pids');

    const dir = path.join(unit, 'mycloud-home/job.1');
    mkdirSync(file('mount', dir));
    writeFileSync(file('mount', dir, 'memory.swap.max'), 'max');
    const cell = limits!.cell('job.1', { memoryBytes: 2 ** 31, cores: 1.5, processes: 100 });
    expect(cell.enter).toEqual([file('mount', dir, 'cgroup.procs')]);
    expect(read('mount', dir, 'memory.max')).toBe(String(2 ** 31));
    expect(read('mount', dir, 'memory.swap.max')).toBe('0');
    expect(read('mount', dir, 'pids.max')).toBe('100');
    expect(read('mount', dir, 'cpu.max')).toBe('150000 100000');
    limits!.cell('job.1', { memoryBytes: 2 ** 31, cores: null, processes: 100 });
    expect(read('mount', dir, 'cpu.max')).toBe('max 100000');
  });

  it('takes what is delegated, and says what is not', () => {
    const limits = cgroupV2(tree('memory pids').v2!, 'mycloud-home');
    expect(limitsText(limits!)).toBe('cgroup v2 holds memory and processes; not CPU');
  });

  it('is nothing without the memory controller', () => {
    expect(cgroupV2(tree('cpu').v2!, 'mycloud-home')).toBeNull();
  });

  it('reads the kills and the peak that the kernel counted', () => {
    writeFileSync(file('memory.events'), 'low 0\nhigh 0\nmax 7\noom 2\noom_kill 3\noom_group_kill 0\n');
    writeFileSync(file('memory.peak'), '12345\n');
    expect(cellMemory([root])).toEqual({ oomKills: 3, peakBytes: 12345 });
  });
});
