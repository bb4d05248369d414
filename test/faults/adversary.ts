import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from './deployment.js';
import type { Random } from './random.js';

/** Seconds a worker's right to an attempt lasts in a campaign: short, so that faults can outlast it. */
export const leaseSeconds = 5;

const acts = ['kill', 'pause', 'cut', 'silence', 'refuse', 'fill', 'clock'] as const;
type Act = (typeof acts)[number];

export interface Fault {
  /** Seconds after the round's start, and how long it lasts (0: a moment). */
  at: number;
  seconds: number;
  act: Act;
  /** A program, a line, or a worker's disk. */
  target: string;
  /** Seconds a clock is wrong by. */
  shift?: number;
}

/** What a deployment gives an adversary to harm. */
export interface Targets {
  programs: string[];
  links: string[];
  disks: string[];
  clocks: string[];
}

const windowSeconds = 7;

/** Draws what is done to whom and when: one to five faults, singly and together, most for a moment, some beyond a lease. */
export function drawFaults(random: Random, targets: Targets): Fault[] {
  const faults: Fault[] = [];
  const count = random.between(1, 5);
  for (let i = 0; i < count; i++) {
    const act = drawAct(random, targets);
    const beyond = random.chance(0.3);
    const seconds = beyond ? leaseSeconds + random.between(5, 25) / 10 : random.between(1, 25) / 10;
    faults.push({
      at: random.between(5, windowSeconds * 10) / 10,
      seconds: act === 'cut' ? 0 : seconds,
      act,
      target: random.pick(namesOf(act, targets)),
      ...(act === 'clock' ? { shift: random.pick([-3600, -30, 30, 3600]) } : {}),
    });
  }
  const apart: Fault[] = [];
  for (const fault of faults.sort((a, b) => a.at - b.at)) {
    // What is dead can't be killed; other targets suffer at the same time.
    const overlaps = apart.some(
      (one) => one.target === fault.target && fault.at < one.at + one.seconds + 0.5,
    );
    if (!overlaps) apart.push(fault);
  }
  return apart;
}

function drawAct(random: Random, targets: Targets): Act {
  for (;;) {
    const act = random.pick<Act>(['kill', 'kill', 'kill', ...acts]);
    if (namesOf(act, targets).length > 0) return act;
  }
}

function namesOf(act: Act, targets: Targets): string[] {
  switch (act) {
    case 'kill':
    case 'pause':
      return targets.programs;
    case 'cut':
    case 'silence':
    case 'refuse':
      return targets.links;
    case 'fill':
      return targets.disks;
    case 'clock':
      return targets.clocks;
  }
}

export const describeFault = ({ at, seconds, act, target, shift }: Fault): string =>
  `${at.toFixed(1)} s: ${act} ${target}${shift ? ` by ${shift} s` : ''}${seconds > 0 ? ` for ${seconds.toFixed(1)} s` : ''}`;

/**
 * Could this take a lease from a worker, all else being well? What is killed and started again in no time must not, but
 * for a worker, which needs its time to start. What hangs is not found out by a load balancer that only connects.
 */
export const mayCostLease = ({ act, target, seconds }: Fault): boolean => {
  if (act === 'fill') return true;
  // The clock that judges leases is the database's, which gives every lease a term when it jumps.
  if (act === 'cut' || act === 'clock') return false;
  if (act === 'kill') return target.startsWith('worker');
  const onTheWay = /^(worker-\d(-api)?|api-\d(-postgres)?|postgres)$/.test(target);
  return onTheWay && seconds > leaseSeconds / 4;
};

/** Does one fault and mends it. */
export async function carryOut(fault: Fault, deployment: Deployment): Promise<void> {
  const { target } = fault;
  const ms = fault.seconds * 1000;
  switch (fault.act) {
    case 'kill': {
      const program = deployment.program(target);
      if (target.startsWith('api')) deployment.killedApi = true;
      await program.kill();
      await sleep(ms);
      program.start();
      return;
    }
    case 'pause': {
      const program = deployment.program(target);
      program.pause();
      await sleep(ms);
      program.wake();
      return;
    }
    case 'cut':
      return deployment.link(target).cut();
    case 'silence':
    case 'refuse': {
      const link = deployment.link(target);
      link[fault.act]();
      await sleep(ms);
      link.heal();
      return;
    }
    case 'fill': {
      const empty = await deployment.fill(target);
      await sleep(ms);
      await empty();
      return;
    }
    case 'clock': {
      await deployment.setClock(target, fault.shift ?? 0);
      await sleep(ms);
      await deployment.setClock(target, 0);
    }
  }
}
