import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from './support/require.js';
import { startServer, type TestServer } from './support/server.js';

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
    expect((await server.cli(['env', 'show', 'tensorflow'])).stdout).toMatch(/npm {2}@tensorflow\/tfjs-node/);
    const wrong = await server.cli(['env', 'show', 'tensorfow']);
    expect(wrong.stderr).toMatch(/Did you mean tensorflow/);
    expect(wrong.code).toBe(1);
  });

  it.runIf(wantProgram('python3'))('are built on a worker, again and again without harm', async () => {
    const first = await server.cli(['env', 'build', 'python3']);
    expect(first.stdout).toMatch(/building a Python environment/);
    expect(first.code).toBe(0);
    const second = await server.cli(['env', 'build', 'python3']);
    expect(second.stdout).not.toMatch(/building a Python environment/);
    expect(second.code).toBe(0);
  });
});
