import { AppError, type Machine } from '@mycloud/shared';
import type { Logger } from 'pino';
import { z } from 'zod';
import { readJson, writeJson } from '../atomic-file.js';
import { SlurmAway, type SlurmCommands } from './commands.js';

/** Partition, whether it is the default, node, CPUs, MiB, generic resources, state. */
const format = '%P|%N|%c|%m|%G|%a';

/** A node, as a member of one partition. */
export interface PartitionNode {
  partition: string;
  isDefault: boolean;
  node: string;
  cores: number;
  memoryBytes: number;
  gpus: number;
  up: boolean;
}

const offerSchema = z.object({
  partitions: z.record(z.string(), z.string()),
  cores: z.number(),
  memoryBytes: z.number(),
  gpus: z.number(),
});
/** What a worker offers by Slurm: the partitions of each machine, and what their nodes have together. */
export type SlurmOffer = z.infer<typeof offerSchema>;

/** Which of Slurm's partitions are which of the server's machines. */
export class Partitions {
  #commands: SlurmCommands;
  #named: ReadonlyMap<string, string>;
  #file: string;
  #log: Logger;
  #offer: SlurmOffer | null;

  /**
   * @param named machine → partitions, by the worker's settings; empty: they are found
   * @param file keeps what was found, for a start while Slurm is away
   */
  constructor(commands: SlurmCommands, named: ReadonlyMap<string, string>, file: string, log: Logger) {
    this.#commands = commands;
    this.#named = named;
    this.#file = file;
    this.#log = log;
    this.#offer = offerSchema.safeParse(readJson(file)).data ?? null;
  }

  /** What sbatch is given as its partition. @throws AppError unavailable */
  of(machine: string): string {
    const found = this.#offer?.partitions[machine];
    if (!found) throw new AppError('unavailable', `no partition of Slurm is the machine ${machine}`);
    return found;
  }

  /** As they were when they were last looked at, by this worker or an earlier one of its home. */
  get known(): SlurmOffer | null {
    return this.#offer;
  }

  /**
   * Looks at Slurm's partitions.
   * @param catalogue the server's machines, asked only where the settings name no partitions
   * @throws AppError bad_request when a named partition isn't there or none fits; SlurmAway when there is nothing to go by
   */
  async look(catalogue: () => Promise<Machine[]>): Promise<SlurmOffer> {
    try {
      const nodes = (await this.#commands.nodes(format)).flatMap(parseNode);
      const chosen = this.#named.size > 0 ? checked(this.#named, nodes) : matched(await catalogue(), nodes);
      this.#offer = offerOf(chosen, nodes);
      writeJson(this.#file, this.#offer);
    } catch (error) {
      if (!(error instanceof SlurmAway) || !this.#offer) throw error;
      this.#log.warn({ err: error }, 'Slurm does not answer; its partitions are taken as they were');
    }
    return this.#offer;
  }
}

/** A line of sinfo, in the format above. */
export function parseNode(line: string): PartitionNode[] {
  const [partition = '', node, cores, memory, gres = '', availability] = line.split('|');
  if (!node) return [];
  return [
    {
      partition: partition.replace(/\*$/, ''),
      isDefault: partition.endsWith('*'),
      node,
      cores: Number.parseInt(cores ?? '0', 10),
      memoryBytes: Number.parseInt(memory ?? '0', 10) * 2 ** 20,
      gpus: gpusOf(gres),
      up: availability === 'up',
    },
  ];
}

/** `gpu:2`, `gpu:a100:4(S:0-1),shard:8`, `(null)`. */
function gpusOf(gres: string): number {
  return gres
    .replaceAll(/\([^)]*\)/g, '')
    .split(',')
    .map((one) => /^gpu(?::[^:]+)?:(\d+)$/.exec(one)?.[1] ?? (one === 'gpu' ? '1' : '0'))
    .reduce((sum, count) => sum + Number(count), 0);
}

function checked(named: ReadonlyMap<string, string>, nodes: PartitionNode[]): Map<string, string> {
  const there = [...new Set(nodes.map((node) => node.partition))];
  const missing = [...named.values()]
    .flatMap((list) => list.split(','))
    .filter((one) => !there.includes(one));
  if (missing.length === 0) return new Map(named);
  throw new AppError(
    'bad_request',
    `MYCLOUD_SLURM_PARTITIONS names what Slurm doesn't have: ${missing.join(', ')}`,
    {
      hint: `Its partitions are ${there.join(', ')}.`,
    },
  );
}

/**
 * For each machine the partition with a node that holds it: without GPUs where it needs none, the default one before others,
 * and of the rest the first that sinfo names.
 */
export function matched(catalogue: Machine[], nodes: PartitionNode[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const machine of catalogue) {
    const fits = nodes.filter(
      ({ up, cores, memoryBytes, gpus }) =>
        up && cores >= machine.cores && memoryBytes >= machine.memoryBytes && gpus >= machine.gpus,
    );
    const [best] = fits.sort(
      (a, b) => Math.min(a.gpus, 1) - Math.min(b.gpus, 1) || Number(b.isDefault) - Number(a.isDefault),
    );
    if (best) found.set(machine.name, best.partition);
  }
  if (found.size > 0) return found;
  throw new AppError(
    'bad_request',
    "no partition of Slurm has a node that holds one of the server's machines",
    {
      hint: `Name them by MYCLOUD_SLURM_PARTITIONS=machine=partition, or set the server's machines by what the nodes have (${nodes
        .slice(0, 5)
        .map(
          ({ node, cores, memoryBytes, gpus }) =>
            `${node}: ${cores} cores, ${memoryBytes / 2 ** 20} MiB, ${gpus} GPUs`,
        )
        .join('; ')}).`,
    },
  );
}

function offerOf(chosen: ReadonlyMap<string, string>, nodes: PartitionNode[]): SlurmOffer {
  const used = new Set([...chosen.values()].flatMap((list) => list.split(',')));
  // A node may be in several partitions.
  const each = new Map(nodes.filter(({ partition }) => used.has(partition)).map((node) => [node.node, node]));
  const sum = (of: 'cores' | 'memoryBytes' | 'gpus'): number =>
    [...each.values()].reduce((all, node) => all + node[of], 0);
  return {
    partitions: Object.fromEntries(chosen),
    cores: sum('cores'),
    memoryBytes: sum('memoryBytes'),
    gpus: sum('gpus'),
  };
}
