import { shellQuoted } from '@mycloud/shared';
import { sandbox, type Walls } from '../runners/bubblewrap.js';
import type { Launch } from '../runners/runner.js';
import { jobShell } from '../runners/supervisor.js';

/** What of the environment Slurm gives a job reaches the command: where it runs and which GPUs are its. */
const slurmsOwn = [
  ...['CUDA_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES', 'GPU_DEVICE_ORDINAL', 'ZE_AFFINITY_MASK'],
  ...['SLURM_JOB_ID', 'SLURM_JOB_PARTITION', 'SLURM_JOB_NODELIST', 'SLURM_CPUS_PER_TASK', 'SLURM_JOB_GPUS'],
];
/** To export these means something else to a shell, or fails: they are put before the command. */
const shellsOwn = new Set([
  ...['IFS', 'OPTIND', 'PWD', 'OLDPWD', 'PPID', 'UID', 'EUID', 'GROUPS', 'PS4'],
  ...['SHELLOPTS', 'BASHOPTS', 'ENV', 'BASH_ENV', 'POSIXLY_CORRECT'],
]);

export interface Batch {
  /** Unique: the attempt's in Slurm's queue. */
  name: string;
  /** Tells this worker's jobs from another's. */
  comment: string;
  partition: string;
  cores: number;
  memoryBytes: number;
  gpus: number;
  /** null: what the partition gives. */
  seconds: number | null;
  marker: string;
  runDir: string;
  isolation: Isolation;
}

export type Isolation = 'bubblewrap' | 'process';

/**
 * The script that sbatch is given. It holds no secret, since Slurm keeps a copy that others may read. On the node it takes the
 * attempt for its job, starts run/job, passes on what it is told to do, and leaves exit code and figures in the run folder.
 * - `ln` fails where the name is there: of two jobs that were submitted for one attempt, or one that Slurm starts again, the
 *   first runs it and the others end. It fails too when the folder has gone with the attempt.
 * - SIGTERM (a stop, or Slurm's own before its time limit) goes to every process of the job, and to bubblewrap itself not,
 *   which would end the job at once. SIGUSR1 kills them.
 */
export function batchScript(batch: Batch): string {
  const options = [
    `--job-name=${batch.name}`,
    `--comment=${batch.comment}`,
    `--partition=${batch.partition}`,
    ...['--nodes=1', '--ntasks=1'],
    `--cpus-per-task=${Math.max(1, Math.ceil(batch.cores))}`,
    `--mem=${Math.max(1, Math.ceil(batch.memoryBytes / 2 ** 20))}M`,
    ...(batch.gpus > 0 ? [`--gres=gpu:${batch.gpus}`] : []),
    // Slurm counts minutes, and the worker ends it in time: this is for when there is no worker.
    ...(batch.seconds === null ? [] : [`--time=${Math.ceil(batch.seconds / 60) + 2}`]),
    ...['--no-requeue', '--export=NONE', '--open-mode=append', '--signal=B:TERM@60'],
  ];
  return `#!/bin/sh
${options.map((option) => `#SBATCH ${option}`).join('\n')}
run=${shellQuoted(batch.runDir)}
marker=${shellQuoted(batch.marker)}
isolation=${batch.isolation}
gpus=${batch.gpus}
slurms_own='${slurmsOwn.join(' ')}'
${body}`;
}

const body = `
node=\${SLURMD_NODENAME:-$(uname -n)}
printf '%s %s %s\\n' "$SLURM_JOB_ID" "$node" "$(date +%s)" >"$run/began.$SLURM_JOB_ID" || exit 0
ln "$run/began.$SLURM_JOB_ID" "$run/began" || exit 0
exec >>"$run/log" 2>&1 </dev/null
exec 4>&2 2>/dev/null

# The job's processes: all that carry its mark, but bubblewrap's own.
members() {
  for file in $(grep -lszxF "MYCLOUD_EXECUTION=$marker" /proc/[0-9]*/environ); do
    dir=\${file%/environ}
    read -r name <"$dir/comm" && [ "$name" != bwrap ] && echo "\${dir#/proc/}"
  done
}
tell() { for pid in $(members); do kill -"$1" "$pid"; done; }
trap 'date +%s >"$run/told"; tell TERM' TERM
trap 'tell KILL' USR1
trap : INT HUP QUIT

code=
if [ "$isolation" = bubblewrap ] &&
  ! said=$(bwrap --ro-bind / / --unshare-pid --proc /proc --dev /dev true 2>&1); then
  printf 'bubblewrap does not work on the node %s: %s\\n' "$node" "$said" >"$run/refused"
  code=125
fi

if [ -z "$code" ]; then
  (
    exec 2>&4 3>"$run/status" 4>&-
    set --
    for name in $slurms_own; do
      eval "value=\\\${$name-}"
      [ -z "$value" ] || set -- "$@" "$name=$value"
    done
    exec env -i "$@" /bin/sh "$run/job"
  ) &
  child=$!
  (
    trap - TERM USR1 INT HUP QUIT
    while sleep 2; do
      files=
      for pid in $(members); do files="$files /proc/$pid/stat"; done
      [ -z "$files" ] || awk '{ pid = $1; sub(/^.*\\) /, ""); print pid, $20, $12 + $13, $22 }' $files >"$run/usage.new"
      mv "$run/usage.new" "$run/usage"
      [ "$gpus" = 0 ] || nvidia-smi --query-gpu=index,uuid,name,memory.total,memory.used,utilization.gpu \\
        --format=csv,noheader,nounits -i "$CUDA_VISIBLE_DEVICES" >"$run/gpus.new" && mv "$run/gpus.new" "$run/gpus"
    done
  ) &
  watcher=$!
  while wait "$child"; code=$?; [ "$code" -gt 128 ] && kill -0 "$child"; do :; done
  # A wait that the signal broke off says 143, whatever the command ended with meanwhile: asked again it knows, or says 127.
  wait "$child"; again=$?; [ "$again" -eq 127 ] || code=$again
  kill "$watcher"
  # What it left running ends with it, whatever it forks meanwhile.
  for again in 1 2 3; do tell KILL; done
fi

# What the kernel counted of its memory, in the cgroups that Slurm made for it.
kills=0 peak=0
for line in $(grep "/job_$SLURM_JOB_ID/" /proc/self/cgroup); do
  at=\${line##*:}
  case $line in
    *:memory:*) root=/sys/fs/cgroup/memory ;;
    0::*) root=/sys/fs/cgroup ;;
    *) continue ;;
  esac
  while case $at in */job_*) ;; *) false ;; esac; do
    for file in memory.oom_control memory.events; do
      [ -r "$root$at/$file" ] || continue
      count=$(sed -n 's/^oom_kill //p' "$root$at/$file")
      [ "\${count:-0}" -gt "$kills" ] && kills=$count
    done
    for file in memory.max_usage_in_bytes memory.peak; do
      [ -r "$root$at/$file" ] || continue
      read -r count <"$root$at/$file" && [ "$count" -gt "$peak" ] && peak=$count
    done
    at=\${at%/*}
  done
done
printf 'oom_kill %s\\n' "$kills" >"$run/memory.events"
[ "$peak" = 0 ] || printf '%s\\n' "$peak" >"$run/memory.peak"

printf '%s\\n' "$code" 1<>"$run/exit.tmp" && mv "$run/exit.tmp" "$run/exit"
exit "$code"
`;

/**
 * The script that becomes the command on the node: its environment, in a file that only its user can read, and what puts walls
 * around it.
 */
export function jobScript(launch: Launch, isolation: Isolation, walls: Walls): string {
  const { command, env, marker, dirs, machine } = launch;
  // Those Slurm gives count: only it knows which GPUs are the job's.
  const { CUDA_VISIBLE_DEVICES: none, ...own } = env;
  const all = {
    ...own,
    ...(machine.gpus > 0 ? {} : { CUDA_VISIBLE_DEVICES: none }),
    MYCLOUD_EXECUTION: marker,
  };
  const entries = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const exports = entries.filter(([name]) => !shellsOwn.has(name));
  const words = entries.filter(([name]) => shellsOwn.has(name)).map(([name, value]) => `${name}=${value}`);
  const quoted = (argv: string[]): string => argv.map(shellQuoted).join(' ');
  const before = words.length > 0 ? `env ${quoted(words)} ` : '';
  const become =
    isolation === 'bubblewrap'
      ? `${quoted(['bwrap', ...sandbox(launch, walls)])} "$@" -- ${quoted([jobShell, '-c', command])}`
      : quoted([jobShell, '-c', command]);
  return [
    ...exports.map(([name, value]) => `export ${name}=${shellQuoted(value)}`),
    `cd ${shellQuoted(isolation === 'bubblewrap' ? dirs.run : dirs.code)} || exit 125`,
    'set --',
    // As the node has them, which this machine may not.
    ...(isolation === 'bubblewrap' && machine.gpus > 0
      ? [
          'for device in /dev/nvidia* /dev/dxg; do [ -e "$device" ] && set -- "$@" --dev-bind "$device" "$device"; done',
        ]
      : []),
    'unset PWD OLDPWD',
    `exec ${before}${become}`,
    '',
  ].join('\n');
}
