import { expect, it } from 'vitest';
import { matched, parseNode } from '../src/slurm/partitions.js';
import { parseDuration, parseJobs, waitText } from '../src/slurm/queue.js';

const GiB = 2 ** 30;
const catalogue = [
  { name: 'cpu', cores: 2, memoryBytes: 8 * GiB, gpus: 0 },
  { name: 'gpu', cores: 4, memoryBytes: 32 * GiB, gpus: 1 },
  { name: 'gpu2', cores: 8, memoryBytes: 64 * GiB, gpus: 2 },
  { name: 'huge', cores: 512, memoryBytes: 64 * GiB, gpus: 0 },
];
const nodes = (...lines: string[]) => lines.flatMap(parseNode);

it('gives each machine a partition that holds it, and leaves GPUs to those that need them', () => {
  const found = matched(
    catalogue,
    nodes(
      'a100|g1|64|512000|gpu:a100:4(S:0-1)|up',
      'v100|g2|16|64000|gpu:v100:1(S:0),shard:4|up',
      'batch*|n1|32|128000|(null)|up',
      'batch*|n2|32|128000|(null)|up',
    ),
  );
  expect(Object.fromEntries(found)).toEqual({ cpu: 'batch', gpu: 'a100', gpu2: 'a100' });
});

it('takes the default partition of several, and GPUs for CPU jobs where there is nothing else', () => {
  const found = matched(
    catalogue,
    nodes('old|g2|64|512000|gpu:4|up', 'new*|g1|64|512000|gpu:4|up', 'down|n1|64|512000|(null)|down'),
  );
  expect(Object.fromEntries(found)).toEqual({ cpu: 'new', gpu: 'new', gpu2: 'new' });
});

it('says what the nodes have where none holds a machine', () => {
  expect(() => matched(catalogue, nodes('tiny|n1|1|1000|(null)|up'))).toThrow(
    "no partition of Slurm has a node that holds one of the server's machines",
  );
});

it('reads what squeue says, reasons with separators in them too', () => {
  const [job] = parseJobs(
    '7|PENDING|mycloud-x|mycloud:1|n/a|1-02:03:04|UNLIMITED|ReqNodeNotAvail, UnavailableNodes:a|b\n',
  );
  expect(job).toMatchObject({ id: '7', host: '', secondsLeft: 93_784 });
  expect(waitText(job!)).toBe(
    'waits in Slurm as its job 7: ReqNodeNotAvail, UnavailableNodes:a|b (the nodes for it are down, drained or reserved)',
  );
  expect(['1:00', '59:59', '2:00:00', 'UNLIMITED', 'NOT_SET'].map(parseDuration)).toEqual([
    60,
    3599,
    7200,
    null,
    null,
  ]);
});
