import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Cards that an nvidia-smi of our own tells of: a real program on the PATH, which prints what a test wrote down. */
export interface FakeGpus {
  uuids: string[];
  /** What the worker is started with. */
  env: Record<string, string>;
  /** What it tells of them: index, UUID, name, MiB, MiB used and percent a line. */
  cards(lines: string[]): void;
  /** Percent, of every card. */
  utilise(percent: number): void;
  /** A program that is no job computes on this card; null: none does. */
  occupy(uuid: string | null): void;
  remove(): void;
}

export function fakeGpus(count: number): FakeGpus {
  const dir = mkdtempSync(path.join(tmpdir(), 'fake-gpus-'));
  const uuids = Array.from(
    { length: count },
    (_, index) => `GPU-${index}f6e2a11-0000-4000-8000-00000000000${index}`,
  );
  mkdirSync(path.join(dir, 'bin'));
  const program = path.join(dir, 'bin/nvidia-smi');
  const script = `#!/bin/sh
case "$1" in
  --query-gpu=index,uuid,name,memory.total,memory.used,utilization.gpu) cat '${dir}/cards';;
  --query-compute-apps=gpu_uuid,pid) cat '${dir}/apps';;
  *) echo "nvidia-smi: $1 isn't known" >&2; exit 2;;
esac
`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  // Renamed, so that the program never prints half of it.
  const write = (name: string, lines: string[]): void => {
    writeFileSync(path.join(dir, `${name}.new`), lines.map((line) => `${line}\n`).join(''));
    renameSync(path.join(dir, `${name}.new`), path.join(dir, name));
  };
  const gpus: FakeGpus = {
    uuids,
    env: { PATH: `${path.join(dir, 'bin')}:${process.env.PATH}`, MYCLOUD_GPU_SECONDS: '0.2' },
    cards: (lines) => write('cards', lines),
    utilise: (percent) =>
      gpus.cards(
        uuids.map((uuid, index) => `${index}, ${uuid}, NVIDIA H100 80GB HBM3, 81559, 2048, ${percent}`),
      ),
    occupy: (uuid) => write('apps', uuid === null ? [] : [`${uuid}, 424242`]),
    remove: () => rmSync(dir, { recursive: true }),
  };
  gpus.utilise(90);
  gpus.occupy(null);
  return gpus;
}
