import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One card, as nvidia-smi reads it. */
export interface GpuReading {
  index: number;
  uuid: string;
  name: string;
  memoryBytes: number;
  memoryUsedBytes: number;
  /** Percent of the time in which a kernel ran; null where the card doesn't say (MIG). */
  utilisation: number | null;
}

/** A process that computes on a card. */
export interface GpuProcess {
  uuid: string;
  pid: number;
}

const fields = 'index,uuid,name,memory.total,memory.used,utilization.gpu';
const timeoutMs = 10_000;

/** Reads all cards; none where there is no nvidia-smi, or it finds none. */
export async function queryGpus(): Promise<GpuReading[]> {
  const text = await ask(`--query-gpu=${fields}`);
  return text === null ? [] : parseGpus(text);
}

/** Who computes on the cards. */
export async function queryGpuProcesses(): Promise<GpuProcess[]> {
  const text = await ask('--query-compute-apps=gpu_uuid,pid');
  return text === null ? [] : parseGpuProcesses(text);
}

async function ask(query: string): Promise<string | null> {
  try {
    const args = [query, '--format=csv,noheader,nounits'];
    return (await promisify(execFile)('nvidia-smi', args, { timeout: timeoutMs })).stdout;
  } catch {
    // Not installed, or its driver is not loaded: there is no card to be had.
    return null;
  }
}

const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => line.split(',').map((cell) => cell.trim()));

/** 0 where a card doesn't say (MIG). */
const mebibytes = (text: string | undefined): number => (Number(text) || 0) * 2 ** 20;

/** Of `--query-gpu`, csv without header and units: memory in MiB. Lines that are none are left out. */
export function parseGpus(text: string): GpuReading[] {
  return rows(text).flatMap(([index, uuid, name, total, used, utilisation]) => {
    if (!uuid?.startsWith('GPU-') && !uuid?.startsWith('MIG-')) return [];
    const percent = Number(utilisation);
    return {
      index: Number(index),
      uuid,
      name: name ?? '',
      memoryBytes: mebibytes(total),
      memoryUsedBytes: mebibytes(used),
      utilisation: Number.isNaN(percent) ? null : percent,
    };
  });
}

/** Of `--query-compute-apps`, csv without header. */
export function parseGpuProcesses(text: string): GpuProcess[] {
  return rows(text).flatMap(([uuid, pid]) => (uuid && Number(pid) > 0 ? { uuid, pid: Number(pid) } : []));
}
