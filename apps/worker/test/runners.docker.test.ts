import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantPodman } from '../../../test/support/podman.js';
import { jobLines, until, World } from './support/world.js';

const docker = wantPodman();
const imageOf = (image: string) => ({ name: `image:${image}`, description: '', requirements: [], image });

describe.skipIf(!docker)('a worker that runs container images', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start('docker');
  });
  afterAll(() => world.close());

  it('runs a command with what the image has, and its PATH', async () => {
    const attempt = await world.finished(world.submit('command -v busybox; cat /etc/passwd; pwd'));
    expect(jobLines(attempt)).toEqual(['/bin/busybox', 'root:x:0:0:root:/:/bin/sh', '/code']);
    expect(world.api.registered.at(-1)).toMatchObject({ images: true, runner: 'docker' });
  });

  it('says of an image that can not be had that it is so', async () => {
    const environment = imageOf('localhost/no-such-image:v1');
    const { finish } = await world.finished(world.submit('true', { environment }));
    expect(finish?.reason).toBe('environment_failed');
    expect(finish?.detail).toContain('the image localhost/no-such-image:v1 can not be had');
  });

  it('leaves no container behind, and removes at its start what a dead worker left', async () => {
    const home = createHash('sha256').update(world.home).digest('hex').slice(0, 12);
    const labels = ['--label', `mycloud.home=${home}`, '--label', 'mycloud.execution=dead.1.1'];
    world.podman.podman('create', '--name', 'left', ...labels, '--network', 'none', world.podman.image, 'sh');
    world.podman.podman('create', '--name', 'others', '--network', 'none', world.podman.image, 'sh');
    await world.start('docker', { MYCLOUD_WORKER_MACHINES: 'cpu2' });
    const names = (): string => world.podman.podman('ps', '--all', '--format', '{{.Names}}');
    await until(() => names().trim() === 'others', 'only the container that is not ours to be left');
    world.podman.podman('rm', 'others');
  });
});

it('a worker without Docker ends a job that is an image with a sentence', async () => {
  const world = await World.open();
  await world.start('process');
  const { finish } = await world.finished(world.submit('true', { environment: imageOf('python:3.12') }));
  expect(finish).toMatchObject({
    reason: 'environment_failed',
    detail: 'image:python:3.12 is a container image, and no Docker engine answers on this worker',
  });
  expect(world.api.registered.at(-1)).toMatchObject({ images: false });
  await world.close();
});
