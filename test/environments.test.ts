import type { BuiltOn } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from './support/require.js';
import { eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.remove());

describe('environments from the command line', () => {
  it('are listed with what they are made of', async () => {
    const { code, stdout } = await server.cli(['env', 'list']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^tensorflow .*@tensorflow\/tfjs-node@[\d.]+ tensorflow-cpu==2\.15\.1/m);
    expect(stdout).toMatch(/^keras-2\.15 /m);
  });

  it('are shown one by one; of a wrong name the nearest is named', async () => {
    expect((await server.cli(['env', 'show', 'tensorflow'])).stdout).toMatch(/npm +@tensorflow\/tfjs-node/);
    const wrong = await server.cli(['env', 'show', 'tensorfow']);
    expect(wrong.stderr).toMatch(/Did you mean tensorflow/);
    expect(wrong.code).toBe(1);
  });

  it.runIf(wantProgram('python3'))('are built on a worker, again and again without harm', async () => {
    const first = await server.cli(['env', 'build', 'python3']);
    expect(first.stdout).toMatch(/building python3 with/);
    expect(first.code).toBe(0);
    const second = await server.cli(['env', 'build', 'python3']);
    expect(second.stdout).not.toMatch(/building python3 with/);
    expect(second.code).toBe(0);
  });

  it.runIf(wantProgram('python3'))('say where they are built, and are removed there', async () => {
    const built = async () => {
      const { items } = await server.json<{ items: { name: string; built: BuiltOn[] }[] }>(['env', 'list']);
      return items.find((one) => one.name === 'python3')!.built;
    };
    const [one] = await eventually('the worker tells what it has', async () => {
      const found = await built();
      return found.length > 0 && !found[0]!.inUse && found;
    });
    expect(one).toMatchObject({ alive: true, extended: false, environment: 'python3' });
    expect((await server.cli(['env', 'list'])).stdout).toMatch(/^python3 .*: [\d.]+ MB, used \d+s ago/m);
    expect((await server.cli(['env', 'show', 'python3'])).stdout).toContain(one!.id);
    expect((await server.cli(['env', 'delete', 'python3'])).stderr).toMatch(/-y/);
    const gone = await server.cli(['env', 'delete', 'python3', '-y']);
    expect(gone.stdout).toMatch(/ removed$/m);
    expect(await built()).toEqual([]);
    const again = await server.cli(['env', 'delete', 'python3', '-y']);
    expect(again.stderr).toMatch(/no worker has built python3/);
    expect(again.code).toBe(1);
  });
});
