import type { Job, Reason } from '@mycloud/shared';

/** What to do about each way to end, for the job it ended. */
const advice: Record<Reason, (job: Job) => string[]> = {
  exit_zero: ({ name, outputSnapshotId }) => [
    outputSnapshotId ? `Its output: mycloud output ${name} -o DIR` : 'It wrote nothing to /output.',
  ],
  exit_nonzero: ({ name }) => [
    'Its last lines say what went wrong in the program.',
    `Mend the code and run it anew, or try the same again: mycloud restart ${name}`,
  ],
  killed_by_signal: () => [
    'Something other than mycloud sent it that signal: the program itself, or somebody on that machine.',
  ],
  out_of_memory: ({ name, machine }) => [
    'Take less at once (a smaller batch, smaller pictures), or a machine with more memory.',
    `Such as: mycloud restart ${name} --${machine.startsWith('gpu') ? 'gpu2' : 'cpu2'}`,
  ],
  command_not_found: ({ name }) => [
    'Is it spelled right, in the code (then it is ./NAME or "python NAME"), or part of another environment?',
    `See mycloud env list; then: mycloud restart ${name} --env NAME`,
  ],
  max_runtime: ({ name }) => [
    `Give it more time: mycloud restart ${name} --max-runtime 2h, or none: --max-runtime none`,
  ],
  gpu_idle: () => [
    'It held a GPU and computed on the CPU. Does its environment see the GPU? Ask for --cpu if it needs none.',
  ],
  stopped_by_user: ({ name }) => [`To run it again: mycloud restart ${name}`],
  worker_lost: ({ name }) => [
    'Was that machine switched off, or out of memory? See mycloud workers.',
    `Once a worker is here again: mycloud restart ${name}`,
  ],
  server_restored: ({ name }) => [
    `What it did after the backup is lost. To run it again: mycloud restart ${name}`,
  ],
  kills_worker: () => [
    'Each worker was lost while it ran: it probably takes all memory or disk of the machine. Take less at once, or ask who runs the server to set limits (docs/runners.md).',
  ],
  node_failed: ({ name }) => [`Once the cluster has nodes again: mycloud restart ${name}`],
  preempted: ({ name }) => [
    `It was begun anew as often as is allowed. When the cluster has more room: mycloud restart ${name}`,
  ],
  cancelled_in_cluster: ({ name }) => [
    `Somebody who may cancel jobs of the worker's account did so: ask the cluster's administrators. To run it again: mycloud restart ${name}`,
  ],
  cluster_refused: () => [
    "The message is the cluster's own. Ask for another machine or less time (--max-runtime), or tell who runs the worker (docs/slurm.md).",
  ],
  worker_error: ({ name }) => [
    `It is not the program's fault. Run mycloud doctor on the worker's machine, then: mycloud restart ${name}`,
  ],
  input_missing: () => ['Are its datasets still there? See mycloud data list, and mount another version.'],
  environment_failed: () => [
    'Its log says what could not be installed. Is there a slip in requirements.txt? Does the worker reach the package index?',
  ],
  disk_limit: () => ['Write less: keep the newest checkpoints only, or leave out what can be made anew.'],
  disk_full: () => [
    'The disk of its worker is full. Delete jobs and datasets nobody needs (mycloud delete, mycloud data delete), then mycloud admin gc.',
  ],
  output_not_saved: ({ name }) => [
    `Its store could not be written. Is it full, or past your quota (mycloud data status)? Then: mycloud restart ${name}`,
  ],
};

/** What to do next about a job that ended. */
export const adviceFor = (job: Job): string[] => (job.reason ? advice[job.reason](job) : []);
