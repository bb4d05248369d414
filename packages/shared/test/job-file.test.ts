import { describe, expect, it } from 'vitest';
import { AppError } from '../src/index.js';
import { readJobFile, taskSettings } from '../src/job-file.js';

/** What floyd's own `init` wrote, without the comment signs. */
const floyds = `
machine: cpu
env: tensorflow-1.8
input:
  - destination: input
    source: foo/datasets/yelp-food/1
  - foo/datasets/yelp-food-test/1:test
description: this is a test
max_runtime: 3600
command: python train.py

task:
  evaluate:
    machine: gpu
    command: python evaluate.py

  serve:
    machine: cpu
    mode: serve
`;

const problemOf = (text: string): AppError => {
  try {
    readJobFile(text, 'mycloud.yml');
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was read');
};

describe('a file as floyd took it', () => {
  it('is read as it stands', () => {
    expect(taskSettings(readJobFile(floyds, 'floyd.yml'), 'floyd.yml', undefined)).toEqual({
      machine: 'cpu',
      env: 'tensorflow-1.8',
      input: [
        { source: 'foo/datasets/yelp-food/1', name: 'input' },
        { source: 'foo/datasets/yelp-food-test/1', name: 'test' },
      ],
      description: 'this is a test',
      max_runtime: 3600,
      command: 'python train.py',
    });
  });

  it('a task is over what is said for all', () => {
    expect(taskSettings(readJobFile(floyds, 'floyd.yml'), 'floyd.yml', 'evaluate')).toMatchObject({
      machine: 'gpu',
      command: 'python evaluate.py',
      env: 'tensorflow-1.8',
    });
    expect(taskSettings(readJobFile(floyds, 'floyd.yml'), 'floyd.yml', 'serve')).toMatchObject({
      mode: 'serve',
    });
  });

  it('means by yes, and by << and an anchor, what floyd meant', () => {
    const text =
      'tensorboard: yes\ntask:\n  a: &a\n    machine: gpu\n  b:\n    <<: *a\n    command: x\n  c:\n';
    const file = readJobFile(text, 'x');
    expect(taskSettings(file, 'x', 'b')).toEqual({ tensorboard: true, machine: 'gpu', command: 'x' });
    expect(taskSettings(file, 'x', 'c')).toEqual({ tensorboard: true });
  });

  it('made of comments alone says nothing, and so does a key without a value', () => {
    expect(readJobFile('# nothing\n', 'floyd.yml')).toEqual({ task: {} });
    expect(readJobFile('machine:\ninput:\n#  - a:b\n', 'floyd.yml')).toEqual({ task: {} });
  });
});

it('takes a time in words, one input by itself, and a mount with slashes', () => {
  expect(readJobFile('max_runtime: 2h\ninput: dogsvscats/1\n', 'x')).toMatchObject({
    max_runtime: 7200,
    input: [{ source: 'dogsvscats/1', name: 'input' }],
  });
  expect(readJobFile('input: [a:/model/]', 'x')).toMatchObject({ input: [{ source: 'a', name: 'model' }] });
});

it('takes who hears of the end, one address or several, and says which is none', () => {
  const notify = (text: string) => readJobFile(`notify: ${text}`, 'mycloud.yml').notify;
  expect(notify('ann@example.org')).toEqual(['ann@example.org']);
  expect(notify('[https://ci.example/hook, slack:https://chat.example/x]')).toEqual([
    'https://ci.example/hook',
    'slack:https://chat.example/x',
  ]);
  expect(problemOf('command: train\nnotify:\n  - ann@example.org\n  - ann').errors).toEqual([
    expect.objectContaining({ path: 'line 4, notify.1', message: expect.stringContaining('https://') }),
  ]);
  const many = Array.from({ length: 11 }, (_, i) => `a${i}@example.org`);
  expect(problemOf(`notify: [${many.join(', ')}]`).errors).toEqual([
    expect.objectContaining({ message: expect.stringContaining('at most 10') }),
  ]);
});

describe('what is wrong is told with its line', () => {
  it('a tab', () => {
    const { message, hint } = problemOf('machine: gpu\ntask:\n\ttrain:\n\t\tcommand: x\n');
    expect(message).toBe('mycloud.yml, line 3: it is indented with a tab, and YAML takes only spaces');
    expect(hint).toContain('spaces');
  });

  it.each([
    ['an unknown key, with the nearest', 'machine: gpu\ncomand: x\n', 'line 2, comand', /"command"/],
    [
      'one in a task',
      'task:\n  train:\n    # here\n    machne: gpu\n',
      'line 4, task.train.machne',
      /"machine"/,
    ],
    ['one of an input', 'input:\n  - source: a\n    dest: b\n', 'line 3, input.0.dest', /"destination"/],
    ['a value of another kind', 'env: x\ntensorboard: maybe\n', 'line 2, tensorboard', /true or false/],
    ['a time that is none', 'max_runtime: soon\n', 'line 1, max_runtime', /30m/],
    ['an input that is none', 'input:\n  - ":x"\n', 'line 2, input.0', /SOURCE:MOUNT/],
    [
      'inputs without places',
      'input:\n  - lab/datasets/a/1\n  - b\n',
      'line 1, input',
      /lab\/datasets\/a\/1:a and b:b/,
    ],
    ['a mode that is none', 'mode: serv\n', 'line 1, mode', /serve/],
    ['a list in place of settings', '- machine: gpu\n', 'line 1', /object/],
  ])('%s', (_, text, path, says) => {
    expect(problemOf(text).errors).toEqual([{ path, message: expect.stringMatching(says) }]);
  });

  it('a task that stands where the settings are, and all that is wrong in the order of the lines', () => {
    const { errors } = problemOf('machine: gpu\ntrain:\n  command: x\nmax_runtime: never\n');
    expect(errors).toEqual([
      { path: 'line 2, train', message: expect.stringContaining('under "task:"') },
      { path: 'line 4, max_runtime', message: expect.any(String) },
    ]);
  });

  it('YAML that is none', () => {
    expect(problemOf('machine: gpu\ncommand: "x\n').message).toMatch(/line [23]/);
    expect(problemOf('machine: gpu\nmachine: cpu\n').message).toMatch(/line 2.*unique/);
  });

  it('a task that is not there, with those there are', () => {
    const file = readJobFile(floyds, 'floyd.yml');
    expect(() => taskSettings(file, 'floyd.yml', 'evalute')).toThrow(
      expect.objectContaining({ hint: 'Did you mean evaluate? There are: evaluate, serve.' }),
    );
    expect(() => taskSettings(readJobFile('', 'x'), 'x', 'toString')).toThrow(/no task "toString"/);
  });
});
