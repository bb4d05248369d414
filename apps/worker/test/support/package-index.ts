import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { requireProgram } from '../../../../test/support/require.js';

const wheelScript = `
import sys, zipfile
path, name, version, requires = sys.argv[1:5]
info = f"{name}-{version}.dist-info"
with zipfile.ZipFile(path, "w") as wheel:
    wheel.writestr(f"{name}.py", f"version = '{version}'\\n")
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n" + "".join(f"Requires-Dist: {r}\\n" for r in requires.split(";") if r))
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")
`;

/** A package index of a few wheels, as PyPI's simple one. */
export class Index {
  #server: Server;
  private constructor(
    readonly dir: string,
    server: Server,
  ) {
    this.#server = server;
  }

  static async start(dir: string): Promise<Index> {
    mkdirSync(dir, { recursive: true });
    const server = createServer((request, response) => {
      const [, kind, name = ''] = (request.url ?? '').split('/');
      const wheels = readdirSync(dir);
      if (kind === 'files' && wheels.includes(name)) return response.end(readFileSync(path.join(dir, name)));
      const found = wheels.filter((wheel) => wheel.split('-')[0] === name);
      const links = found.map((wheel) => `<a href="/files/${wheel}">${wheel}</a>`).join('\n');
      response.writeHead(found.length > 0 ? 200 : 404, { 'content-type': 'text/html' });
      response.end(`<!DOCTYPE html><html><body>${links}</body></html>`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Index(dir, server);
  }

  /** @returns its SHA-256 */
  add(name: string, version: string, requires: string[] = []): string {
    const file = path.join(this.dir, `${name}-${version}-py3-none-any.whl`);
    execFileSync('python3', ['-c', wheelScript, file, name, version, requires.join(';')]);
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  }

  /** Settings of a worker whose builds ask this index. */
  get variables(): Record<string, string> {
    return indexVariables(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/simple`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const indexVariables = (url: string): Record<string, string> => ({
  PIP_INDEX_URL: url,
  UV_DEFAULT_INDEX: url,
});

/** A search path with this machine's Python, and with uv or without. */
export function searchPath(folder: string, uv?: string): string {
  const bin = path.join(folder, uv ? 'bin-uv' : 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, program] of Object.entries({ python3: requireProgram('python3'), uv })) {
    if (program && !existsSync(path.join(bin, name))) symlinkSync(program, path.join(bin, name));
  }
  return `${bin}:/usr/bin:/bin`;
}

/** An index that takes a question and never answers it. */
export async function startSilentIndex(): Promise<{
  url: string;
  asked: () => number;
  close(): Promise<void>;
}> {
  let asked = 0;
  const server: Server = createServer(() => {
    asked += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`,
    asked: () => asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Writes a package that pip builds without anything from an index. @param fails its build breaks with this */
export function writePackage(dir: string, name: string, fails?: string): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    path.join(dir, 'pyproject.toml'),
    `[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "${name}"\nversion = "1.0"\n`,
  );
  writeFileSync(
    path.join(dir, 'backend.py'),
    `import os, zipfile
def build_wheel(folder, config=None, metadata=None):
    ${fails ? `raise RuntimeError("${fails}")` : ''}
    name = "${name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.write("${name}.py")
        wheel.writestr("${name}-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: ${name}\\nVersion: 1.0\\n")
        wheel.writestr("${name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("${name}-1.0.dist-info/RECORD", "")
    return name
`,
  );
  writeFileSync(path.join(dir, `${name}.py`), 'word = "of the code"\n');
}
