import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineSplitter } from '../src/logs/line-splitter.js';
import { jobLines, until, World } from './support/world.js';

describe('the lines of a job', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start('process', { MYCLOUD_SLOTS: '4' });
  });
  afterAll(() => world.close());

  it('keep only the last state of a progress bar, and show the states between', async () => {
    const bar = `for i in 1 2 3 4 5 6; do printf '\\r%s/6' $i; sleep 0.12; done; printf '\\n'; echo end`;
    const attempt = await world.finished(world.submit(bar));
    expect(jobLines(attempt)).toEqual(['6/6', 'end']);
    const shown = attempt.progress.filter((text) => text !== '');
    expect(shown.length).toBeGreaterThanOrEqual(2);
    for (const text of shown) expect(text).toMatch(/^[1-6]\/6$/);
  });

  it('are cut at 16 KiB and marked', async () => {
    const attempt = await world.finished(
      world.submit(`head -c 40000 /dev/zero | tr '\\0' a; echo; echo end`),
    );
    const lines = attempt.lines.filter((line) => line.source === 'job');
    expect(lines.map((line) => [line.text.length, line.more ?? false])).toEqual([
      [16384, true],
      [16384, true],
      [7232, false],
      [3, false],
    ]);
  });

  it('come all, in order, 100,000 of them at once', async () => {
    const attempt = await world.finished(world.submit('seq 1 100000'));
    const lines = jobLines(attempt);
    expect(lines.length).toBe(100_000);
    expect(lines.every((text, index) => text === String(index + 1))).toBe(true);
  });

  it('become metrics where they are JSON of the Floyd kind', async () => {
    const attempt = await world.finished(
      world.submit(`echo '{"metric": "acc", "value": 0.5, "epoch": 3}'; echo '{"metric": 1}'`),
    );
    const points = attempt.points.filter((point) => !point.name.startsWith('system/'));
    expect(points).toMatchObject([{ name: 'acc', value: 0.5, step: 3 }]);
  });

  it('go with the end of a short job, or before it to an older api, which takes none with an end', async () => {
    for (const older of [false, true]) {
      world.api.older = older;
      const attempt = await world.finished(world.submit('echo one; echo two'));
      expect(jobLines(attempt)).toEqual(['one', 'two']);
      expect(attempt.lines[0]).toMatchObject({ source: 'system', seq: 1 });
    }
    world.api.older = false;
  });

  it('show a line that has no newline yet, and keep it at the end', async () => {
    const jobId = world.submit(`printf 'Epoch 1'; exec sleep 1000`);
    await until(() => world.attempt(jobId)?.progress.includes('Epoch 1'), 'the line being drawn');
    world.stopJob(jobId);
    const attempt = await world.finished(jobId);
    expect(jobLines(attempt)).toEqual(['Epoch 1']);
  });
});

describe('cutting a stream into lines', () => {
  const cut = (text: string | Buffer, size: number): string[] => {
    const bytes = Buffer.from(text);
    const splitter = new LineSplitter(0);
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const line of splitter.feed(bytes.subarray(at, at + size))) lines.push(line.text);
    }
    for (const line of splitter.end()) lines.push(line.text);
    return lines;
  };
  const streams: [what: string, bytes: string | Buffer, lines: string[]][] = [
    ['Windows line ends', 'a\r\nb\r\n', ['a', 'b']],
    ['a bar that is ended by a return', '1/2\r2/2\r\nend', ['2/2', 'end']],
    ['characters of many bytes', 'ä€😀\n😀', ['ä€😀', '😀']],
    ['invalid UTF-8 and NUL', Buffer.from([0x61, 0xff, 0x62, 0, 10]), ['a\ufffdb\ufffd']],
    ['empty lines', '\n\na\n', ['', '', 'a']],
  ];
  it.each(streams)('%s, whatever the size of the reads', (_, bytes, lines) => {
    for (const size of [1, 2, 3, 5, 100]) expect(cut(bytes, size)).toEqual(lines);
  });
  it('cuts no character in two', () => {
    const lines = cut('😀'.repeat(10_000), 999);
    expect(lines.join('')).toBe('😀'.repeat(10_000));
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(16_384);
  });
});
