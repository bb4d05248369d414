import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Finding, said } from './check.js';

const lookSchema = z.object({
  runner: z.string(),
  /** Address of the engine that answers. */
  docker: z.string().nullable(),
  limits: z.object({
    kind: z.string(),
    enforced: z.object({ memory: z.boolean(), cpu: z.boolean(), processes: z.boolean() }),
    text: z.string(),
  }),
  /** A cloud's, at 169.254.169.254. */
  metadata: z.object({ closed: z.boolean(), text: z.string(), answers: z.boolean() }),
  /** As containers reach it. */
  imagesMetadata: z.object({ closed: z.boolean(), text: z.string() }).nullable(),
  gpus: z.array(z.string()),
});

/** What a worker finds on this machine: it looks itself, so that this says what it will do. */
export async function worker(): Promise<Finding[]> {
  const entry = fileURLToPath(import.meta.resolve('@mycloud/worker/look'));
  // Tests read the sources; programs always run what the build made of them.
  const program = entry.replace(/([\\/])src([\\/])look\.ts$/, '$1dist$2look.js');
  const answer = await said(process.execPath, [program]);
  if (answer === undefined) {
    return [{ name: 'Worker', state: 'problem', text: 'its program does not start', hint: 'Run: npm ci' }];
  }
  const found = lookSchema.parse(JSON.parse(answer));
  return [
    await runner(found.runner === 'bubblewrap'),
    await inside(),
    images(found.docker),
    limits(found.limits),
    metadata(found.metadata),
    ...imagesMetadata(found),
    gpus(found.gpus),
  ];
}

/** How jobs that run here are kept apart. */
async function runner(works: boolean): Promise<Finding> {
  const name = 'Runner';
  const version = await said('bwrap', ['--version']);
  if (works)
    return {
      name,
      state: 'ok',
      text: `${version ?? 'bubblewrap'}: each job has its own files and processes`,
    };
  return {
    name,
    state: 'note',
    text: version
      ? 'bubblewrap is installed but may not make namespaces here; jobs are plain processes'
      : 'bubblewrap is not installed; jobs are plain processes and see all files of the user who runs the worker',
    hint: version
      ? 'Allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (inside Docker: --security-opt seccomp=unconfined).'
      : 'Install it: apt-get install bubblewrap',
  };
}

/** Whether jobs can ask the cloud that this machine is of for its keys. */
function metadata({ closed, text, answers }: z.output<typeof lookSchema>['metadata']): Finding {
  const name = 'Metadata';
  if (closed) return { name, state: 'ok', text: `jobs can't reach a cloud's metadata: ${text}` };
  if (!answers) return { name, state: 'ok', text: 'no metadata of a cloud answers here' };
  return {
    name,
    state: 'note',
    text: `jobs reach the metadata of this machine's cloud, and the keys it gives (169.254.169.254): ${text}`,
    hint: 'Give the machine no role there, or close it by a rule of the firewall or MYCLOUD_BUBBLEWRAP_NETWORK=none (docs/security.md).',
  };
}

/** The same for jobs that are containers, where there are any. */
function imagesMetadata({
  imagesMetadata: images,
  metadata: { answers },
}: z.output<typeof lookSchema>): Finding[] {
  if (!images) return [];
  const name = 'Image metadata';
  if (images.closed)
    return [{ name, state: 'ok', text: `containers can't reach a cloud's metadata: ${images.text}` }];
  if (!answers) return [];
  return [
    {
      name,
      state: 'note',
      text: `containers may reach the metadata of this machine's cloud, and the keys it gives: ${images.text}`,
      hint: 'Give the machine no role there, or leave MYCLOUD_DOCKER_NETWORK unset where root runs the worker, or set it to none (docs/security.md).',
    },
  ];
}

/** Whether `mycloud exec` works in jobs that are processes of this machine. */
async function inside(): Promise<Finding> {
  const name = 'Exec';
  const version = await said('python3', ['--version']);
  if (version) return { name, state: 'ok', text: `${version.trim()}: commands run inside jobs` };
  return {
    name,
    state: 'note',
    text: 'there is no python3, without which no command runs inside a job here',
    hint: 'Install it: apt-get install python3',
  };
}

/** Whether `--env image:NAME` works. */
function images(docker: string | null): Finding {
  const name = 'Images';
  if (docker) return { name, state: 'ok', text: `container images run by the engine at ${docker}` };
  const hint =
    'Install Docker (or podman: podman system service), or give its socket by MYCLOUD_DOCKER=unix:///…';
  return {
    name,
    state: 'note',
    text: 'no Docker engine answers; --env image:… waits for another worker',
    hint,
  };
}

/** What a job is held to of its machine's cores and memory. Disk use is watched by the worker everywhere. */
function limits({ kind, enforced, text }: z.infer<typeof lookSchema>['limits']): Finding {
  const name = 'Limits';
  const cgroups = kind.startsWith('cgroup');
  if (cgroups && Object.values(enforced).every(Boolean)) return { name, state: 'ok', text };
  const hint = cgroups
    ? 'Have systemd delegate all: Delegate=cpu memory pids in the unit of the worker.'
    : 'Run the worker as root, or as a systemd unit with Delegate=yes (systemd-run --user -p Delegate=yes mycloud up); or offer few jobs at once by MYCLOUD_SLOTS.';
  return { name, state: 'note', text, hint };
}

function gpus(found: string[]): Finding {
  const name = 'GPU';
  if (found.length > 0) return { name, state: 'ok', text: found.join('; ') };
  const hint = 'With an NVIDIA card: install its driver, so that `nvidia-smi` lists it.';
  return { name, state: 'note', text: 'none found; --gpu runs on the CPU here', hint };
}
