import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/** Where a cluster's programs listen, and how to start one on another machine of it. */
export interface Network {
  /** Of what only the server's own machines reach: apis, Redis. */
  inner: string;
  /** Of what everybody reaches: the proxy, the store. */
  edge: string;
  /** What to put before a worker's command so that it runs on a machine of its own; [] without namespaces. */
  machine(name: 'worker-1' | 'worker-2'): string[];
  close(): void;
}

export const mayNamespace = (): boolean =>
  process.platform === 'linux' && process.getuid?.() === 0 && works('ip', '-V') && works('iptables', '-V');

/** All on this machine. */
export const plainNetwork: Network = {
  inner: '127.0.0.1',
  edge: '127.0.0.1',
  machine: () => [],
  close: () => undefined,
};

/**
 * A bridge with two network namespaces at it. `worker-1` is on the server's network. `worker-2` is as if behind NAT at home: it
 * has a way to the edge and to nothing else, and nobody can open a connection to it.
 */
export function namespaces(): Network {
  const { bridge, net } = makeBridge();
  const [inner, edge] = [`${net}.1`, `${net}.2`];
  const made: string[] = [];
  const network: Network = {
    inner,
    edge,
    machine: (name) => ['ip', 'netns', 'exec', `${bridge}-${name}`],
    close() {
      for (const name of made) run('ip', 'netns', 'del', name);
      run('ip', 'link', 'del', bridge);
    },
  };
  try {
    run('ip', 'addr', 'add', `${inner}/24`, 'dev', bridge);
    run('ip', 'addr', 'add', `${edge}/24`, 'dev', bridge);
    run('ip', 'link', 'set', bridge, 'up');
    for (const [name, address] of [
      ['worker-1', `${net}.11/24`],
      ['worker-2', `${net}.12/32`],
    ] as const) {
      const space = `${bridge}-${name}`;
      run('ip', 'netns', 'add', space);
      made.push(space);
      const [near, far] = [`${bridge}${name.slice(-1)}`, 'eth0'];
      run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', space);
      run('ip', 'link', 'set', near, 'master', bridge, 'up');
      const inside = (...args: string[]) => run('ip', 'netns', 'exec', space, ...args);
      inside('ip', 'link', 'set', 'lo', 'up');
      inside('ip', 'addr', 'add', address, 'dev', far);
      inside('ip', 'link', 'set', far, 'up');
      if (name === 'worker-1') continue;
      inside('ip', 'route', 'add', edge, 'dev', far);
      inside(
        'iptables',
        '-A',
        'INPUT',
        '-i',
        far,
        '-m',
        'state',
        '--state',
        'ESTABLISHED,RELATED',
        '-j',
        'ACCEPT',
      );
      inside('iptables', '-A', 'INPUT', '-i', far, '-j', 'DROP');
    }
    return network;
  } catch (error) {
    network.close();
    throw error;
  }
}

/** One whose name and addresses nobody has, another cluster of this machine neither. */
function makeBridge(): { bridge: string; net: string } {
  for (let tries = 0; ; tries++) {
    const n = randomInt(1, 255);
    try {
      run('ip', 'link', 'add', `myc${n}`, 'type', 'bridge');
      return { bridge: `myc${n}`, net: `10.213.${n}` };
    } catch (error) {
      if (tries > 20) throw error;
    }
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function works(command: string, ...args: string[]): boolean {
  try {
    run(command, ...args);
    return true;
  } catch {
    // Not installed.
    return false;
  }
}
