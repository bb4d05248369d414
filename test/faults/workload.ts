import type { CreateJob, JobStatus, Reason } from '@mycloud/shared';
import type { Random } from './random.js';

/**
 * The program all jobs run, a real one: numbered lines, each with the execution that wrote it, and a file every tenth line up to the hundredth.
 * What can't be written ends it with 9: a full disk is not overlooked.
 * Arguments: lines, seconds between them, exit code.
 */
export const program = `run=$(cat /proc/sys/kernel/random/uuid)
echo "begin $run" || exit 9
i=0
while [ $i -lt $1 ]; do
  i=$((i+1))
  echo "line $i $run" || exit 9
  if [ $((i % 10)) = 0 ] && [ $i -le 100 ]; then
    { seq 1 $i > "$MYCLOUD_OUTPUT/.$i" && mv "$MYCLOUD_OUTPUT/.$i" "$MYCLOUD_OUTPUT/$i.txt"; } || exit 9
  fi
  [ $2 = 0 ] || sleep $2
done
exit $3
`;

export interface Task {
  kind: string;
  body: CreateJob;
  /** Seconds after the round's start. */
  at: number;
  /** Lines it writes when it ends by itself; undefined: it prints other things. */
  lines?: number;
  status: JobStatus;
  reason: Reason;
  exitCode: number | null;
  /** Somebody stops it so many seconds after its submission. */
  stopAfter?: number;
  /** A follower is attached to it all the while. */
  followed: boolean;
}

const work = (kind: string, lines: number, pause: number, exit = 0): Omit<Task, 'at'> => ({
  kind,
  body: { command: `sh work.sh ${lines} ${pause} ${exit}` },
  lines,
  status: exit === 0 ? 'succeeded' : 'failed',
  reason: exit === 0 ? 'exit_zero' : 'exit_nonzero',
  exitCode: exit,
  followed: lines > 0,
});

/** The files a job leaves, by name. */
export function filesOf(lines: number): Map<string, string> {
  const files = new Map<string, string>();
  for (let i = 10; i <= Math.min(lines, 100); i += 10) {
    files.set(`${i}.txt`, Array.from({ length: i }, (_, n) => `${n + 1}\n`).join(''));
  }
  return files;
}

/** The jobs of a round, in the order of their submission. */
export function drawTasks(random: Random): Task[] {
  const later = (from: number, to: number): number => random.between(from * 10, to * 10) / 10;
  const tasks: Task[] = [
    { ...work('long', random.between(50, 70), 0.1), at: 0 },
    { ...work('long', random.between(30, 60), 0.1), at: 0 },
    { ...work('failing', random.between(10, 50), 0.1, 7), at: 0 },
    { ...work('burst', 20_000, 0), at: later(0, 3), followed: true },
    { ...work('short', random.between(10, 40), 0), at: later(0, 5) },
    { ...work('short', random.between(10, 40), 0), at: later(2, 6) },
    { ...work('late', 30, 0.1), at: later(4, 6) },
    {
      ...work('stopped', 1200, 0.1),
      at: 0,
      stopAfter: later(2, 5),
      status: 'stopped',
      reason: 'stopped_by_user',
      exitCode: null,
    },
    {
      kind: 'again',
      body: {
        command: 'test "$MYCLOUD_ATTEMPT" != 1 && exit 0; echo "not yet"; exit 3',
        retries: 1,
      },
      at: later(0, 4),
      status: 'succeeded',
      reason: 'exit_zero',
      exitCode: 0,
      followed: false,
    },
  ];
  for (let i = 0; i < 4; i++) {
    tasks.push({ ...work('trivial', 0, 0), body: { command: 'true' }, lines: undefined, at: later(0, 6) });
  }
  return tasks.sort((a, b) => a.at - b.at);
}
