import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRequirements } from '../src/environments/requirements.js';

let code: string;
beforeEach(() => {
  code = mkdtempSync(path.join(tmpdir(), 'requirements-test-'));
});
afterEach(() => rmSync(code, { recursive: true }));

const write = (files: Record<string, string>): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(code, name)), { recursive: true });
    writeFileSync(path.join(code, name), text);
  }
};

describe('the requirements of a job’s code', () => {
  it('are none where there is no such file', () => {
    expect(readRequirements(code)).toEqual({ lines: [], constraints: [], local: [], hashed: false });
  });

  it('are read as pip reads them: comments, long lines, options', () => {
    write({
      'requirements.txt': [
        '\uFEFF# what it needs',
        '--index-url https://example.org/simple  # ours',
        'numpy>=1.20 # numbers',
        'requests[socks] \\',
        '  >=2',
        'tool @ git+https://example.org/tool.git#egg=tool',
        '',
        'pywin32; sys_platform == "win32"',
      ].join('\r\n'),
    });
    expect(readRequirements(code).lines).toEqual([
      '--index-url https://example.org/simple',
      'numpy>=1.20',
      'requests[socks]    >=2',
      'tool @ git+https://example.org/tool.git#egg=tool',
      'pywin32; sys_platform == "win32"',
    ]);
  });

  it('take in the files they name, and floyd’s file first', () => {
    write({
      'floyd_requirements.txt': 'from-floyd\n',
      'requirements.txt': '-r deep/more.txt\nlast\n',
      'deep/more.txt': '-r ../requirements.txt\n--requirement=other.txt\n-c limits.txt\n',
      'deep/other.txt': 'other\n',
      'deep/limits.txt': 'numpy<2 # old\n',
    });
    expect(readRequirements(code)).toMatchObject({
      lines: ['from-floyd', 'other', 'last'],
      constraints: ['numpy<2'],
    });
  });

  it('know what is of the code itself, however it is written', () => {
    write({
      'requirements.txt':
        '-e .\n./lib[extra]\nlib2\nwheels/a.whl\nfile:./lib\nb @ file:///code/lib\n-e git+https://example.org/x.git\n',
      'lib/pyproject.toml': '',
      'lib2/pyproject.toml': '',
      'wheels/a.whl': '',
    });
    expect(readRequirements(code)).toMatchObject({
      local: ['.', './lib[extra]', './wheels/a.whl', './lib', './lib'],
      lines: ['lib2', 'git+https://example.org/x.git'],
    });
  });

  it('say when they are given by hashes', () => {
    write({ 'requirements.txt': 'a==1 \\\n    --hash=sha256:00\n' });
    expect(readRequirements(code)).toMatchObject({ hashed: true, lines: ['a==1      --hash=sha256:00'] });
  });

  it.each([
    ['-r other.txt', /requirements\.txt names other\.txt, which isn't in the code/],
    ['-c ../../limits.txt', /names \.\.\/\.\.\/limits\.txt/],
    ['../elsewhere', /names \.\.\/elsewhere, which isn't in the code/],
    ['/opt/lib', /names \/opt\/lib/],
    ['-e ./gone', /names \.\/gone/],
  ])('%s of something that is not in the code is refused', (line, says) => {
    write({ 'requirements.txt': `${line}\n` });
    expect(() => readRequirements(code)).toThrow(says);
  });
});
