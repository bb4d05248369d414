import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TrainerError } from '../src/errors.js';
import { DecodingRoom } from '../src/images/decoding-room.js';
import { type DirectoryIterator, type FlowOptions, imageDataGenerator } from '../src/images/index.js';
import { overlapping } from '../src/images/overlap.js';

let dir: string;
const open: DirectoryIterator[] = [];

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mycloud-images-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((it) => it.close()));
  await rm(dir, { recursive: true, force: true });
});

/** A noisy picture whose mean colour tells which it is. */
async function picture(file: string, red: number, format: 'jpeg' | 'png' = 'jpeg'): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const data = Buffer.alloc(24 * 20 * 3);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = red;
    data[i + 1] = (i * 7) % 256;
    data[i + 2] = (i * 13 + red) % 256;
  }
  await sharp(data, { raw: { width: 24, height: 20, channels: 3 } })
    .toFormat(format)
    .toFile(file);
}

async function pets(cats: number, dogs: number): Promise<void> {
  for (let i = 0; i < cats; i++) await picture(path.join(dir, 'cats', `cat.${i}.jpg`), 10 + i);
  for (let i = 0; i < dogs; i++) await picture(path.join(dir, 'dogs', `dog.${i}.jpg`), 200 + i);
}

const augmented = {
  rescale: 1 / 255,
  shearRange: 10,
  zoomRange: 0.2,
  rotationRange: 20,
  horizontalFlip: true,
};

async function flow(options: Partial<FlowOptions> = {}, how = augmented): Promise<DirectoryIterator> {
  const it = await imageDataGenerator(how).flowFromDirectory(dir, {
    targetSize: [16, 16],
    batchSize: 4,
    classMode: 'binary',
    seed: 7,
    ...options,
  });
  open.push(it);
  return it;
}

async function take(it: DirectoryIterator, n: number) {
  const batches = [];
  for (let i = 0; i < n; i++) {
    const { release, ...batch } = await it.next();
    // Its memory may be the next batch's from now on.
    batches.push({ ...batch, x: batch.x.slice() });
    release();
  }
  return batches;
}

/** This process's threads whose priority is below the normal one (proc(5): stat, the 19th word). */
async function gentleThreads(): Promise<number> {
  const stats = (await readdir('/proc/self/task')).map((thread) =>
    readFile(`/proc/self/task/${thread}/stat`, 'utf8'),
  );
  const nice = (stat: string) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  return (await Promise.all(stats)).filter((stat) => nice(stat) > 0).length;
}

test('pictures to judge by that are among those learnt from are found by their bytes', async () => {
  await pets(4, 0);
  const cat = (i: number) => path.join(dir, 'cats', `cat.${i}.jpg`);
  const copy = path.join(dir, 'copy.jpg');
  await copyFile(cat(2), copy);
  const other = path.join(dir, 'of-the-same-size.jpg');
  const bytes = await readFile(cat(2));
  bytes[bytes.length - 10]! ^= 1;
  await writeFile(other, bytes);
  expect(await overlapping([0, 1, 2, 3].map(cat), [other, copy])).toEqual([copy]);
});

describe('a folder of cats and dogs', () => {
  test.skipIf(process.platform !== 'linux')('is prepared by threads that give way to a step', async () => {
    await pets(4, 4);
    const before = await gentleThreads();
    await take(await flow({ workers: 2 }), 2);
    expect((await gentleThreads()) - before).toBe(2);
  });

  test('is read as labelled batches, the classes in the order of their names', async () => {
    await pets(5, 4);
    const it = await flow();
    expect(it.classes).toEqual(['cats', 'dogs']);
    expect(it.counts).toEqual({ cats: 5, dogs: 4 });
    const batches = await take(it, 3);
    expect(batches.map((b) => b.n)).toEqual([4, 4, 1]);
    expect(batches[0]!.shape).toEqual([4, 16, 16, 3]);
    expect(batches.flatMap((b) => [...b.y]).filter((y) => y === 1)).toHaveLength(4);
    for (const { x, y, n } of batches) {
      expect(x).toHaveLength(n * 16 * 16 * 3);
      for (let i = 0; i < n; i++) expect(x[i * 16 * 16 * 3]! > 0.5 ? 1 : 0).toBe(y[i]);
    }
  });

  test('gives the same batches for one seed with one thread, with two, and with no cache', async () => {
    await pets(6, 6);
    const [one, two, uncached] = [
      await take(await flow({ workers: 1 }), 7),
      await take(await flow({ workers: 2 }), 7),
      await take(await flow({ workers: 2, cacheBytes: 0 }), 7),
    ];
    expect(two).toEqual(one);
    expect(uncached).toEqual(one);
    const other = await take(await flow({ seed: 8 }), 7);
    expect(other).not.toEqual(one);
  });

  test('comes in a new order with new draws each epoch, every picture once', async () => {
    await pets(4, 4);
    const batches = await take(await flow({ batchSize: 8 }, { ...augmented, rescale: 1 }), 2);
    expect(batches[0]!.x).not.toEqual(batches[1]!.x);
    const reds = (b: (typeof batches)[0]) =>
      [...Array(8).keys()].map((i) => Math.round(b.x[i * 768]! / 2)).sort();
    expect(new Set(reds(batches[0]!)).size).toBeGreaterThan(3);
    expect([...batches[1]!.y].sort()).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  test('goes on after a restore with the batches an uninterrupted run gives', async () => {
    await pets(5, 5);
    const whole = await take(await flow(), 8);
    const first = await flow();
    await take(first, 4);
    const saved = JSON.parse(JSON.stringify(first.state())) as unknown;
    const second = await flow();
    await take(second, 1);
    second.restore(saved);
    expect(await take(second, 4)).toEqual(whole.slice(4));
    const other = await flow({ seed: 99 });
    await take(other, 1);
    other.restore(saved);
    expect(await take(other, 4), 'a checkpoint brings its seed').toEqual(whole.slice(4));
    expect(() => second.restore({ ...(saved as object), samples: 9 })).toThrow(TrainerError);
  });

  test('keeps the order of the files when not shuffled, and one-hot labels when categorical', async () => {
    await pets(2, 1);
    await picture(path.join(dir, 'birds', 'bird.png'), 120, 'png');
    const it = await flow({ shuffle: false, classMode: 'categorical' });
    const { y } = await it.next();
    expect([...y]).toEqual([1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1]);
  });

  test('is limited to an even share of each class', async () => {
    await pets(6, 3);
    expect((await flow({ maxSamples: 5 })).counts).toEqual({ cats: 3, dogs: 2 });
    expect((await flow({ maxSamples: 8 })).counts).toEqual({ cats: 4, dogs: 3 });
  });

  test('may hold fewer pictures than a batch', async () => {
    await pets(1, 1);
    const batches = await take(await flow({ batchSize: 32 }), 2);
    expect(batches.map((b) => b.n)).toEqual([2, 2]);
  });
});

describe('pictures of every kind become 8-bit RGB', () => {
  test('grey, 16 bit, CMYK, with alpha, moving, called by another format’s name', async () => {
    await pets(0, 1);
    const cats = path.join(dir, 'cats');
    await mkdir(cats);
    const grey = sharp({ create: { width: 9, height: 9, channels: 3, background: '#808080' } });
    await grey.clone().greyscale().png().toFile(path.join(cats, 'a-grey.png'));
    await grey.clone().toColourspace('rgb16').png().toFile(path.join(cats, 'b-deep.png'));
    await grey.clone().toColourspace('cmyk').jpeg().toFile(path.join(cats, 'c-cmyk.jpg'));
    await grey.clone().ensureAlpha(0.1).png().toFile(path.join(cats, 'd-alpha.png'));
    await grey.clone().gif().toFile(path.join(cats, 'e.gif'));
    await grey.clone().png().toFile(path.join(cats, 'f-png-called.jpg'));
    const it = await flow({ shuffle: false, batchSize: 6 }, { ...augmented, rescale: 1 });
    const { x, n } = await it.next();
    expect(n).toBe(6);
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < 3; c++) expect(Math.abs(x[i * 768 + c]! - 128), `picture ${i}`).toBeLessThan(24);
    }
  });

  test('the turn noted by the camera is left alone, as Keras leaves it', async () => {
    await pets(0, 1);
    const half = Buffer.alloc(8 * 8 * 3);
    half.fill(255, 0, 4 * 8 * 3);
    await mkdir(path.join(dir, 'cats'));
    await sharp(half, { raw: { width: 8, height: 8, channels: 3 } })
      .withMetadata({ orientation: 3 })
      .jpeg()
      .toFile(path.join(dir, 'cats', 'upside.jpg'));
    const it = await flow({ shuffle: false }, {} as typeof augmented);
    const { x } = await it.next();
    expect(x[0]).toBeGreaterThan(240);
    expect(it.turned).toBe(1);
  });
});

describe('large pictures are decoded as there is room', () => {
  test('never more pixels at once than fit, one too large alone, in the order they asked', async () => {
    const room = new DecodingRoom();
    let now = 0;
    let most = 0;
    const ended: number[] = [];
    const sizes = [10e6, 10e6, 10e6, 90e6, 5e6, 5e6];
    await Promise.all(
      sizes.map((pixels, i) =>
        room.within(pixels, async () => {
          now += pixels;
          if (pixels < 90e6) most = Math.max(most, now);
          else expect(now).toBe(90e6);
          await setImmediate();
          now -= pixels;
          ended.push(i);
        }),
      ),
    );
    expect(most).toBe(20e6);
    expect(ended).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('a picture of too many pixels is left out by its header, and a failure gives its room back', async () => {
    await pets(3, 3);
    // A PNG's header says how large it is: this one claims 60,000 × 60,000.
    const file = path.join(dir, 'cats', 'vast.png');
    const png = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    png.writeUInt32BE(60_000, 16);
    png.writeUInt32BE(60_000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    await writeFile(file, png);
    const it = await flow();
    expect(it.samples).toBe(6);
    expect(it.skipped).toMatchObject([{ path: file, reason: expect.stringMatching(/pixel/) }]);
    const room = new DecodingRoom();
    await expect(room.within(90e6, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await room.within(90e6, async () => 'in')).toBe('in');
  });
});

describe('what is wrong with a folder is said', () => {
  const problem = (run: Promise<unknown>) =>
    run.then(
      () => expect.unreachable(),
      (error: unknown) => error as TrainerError,
    );

  test('a broken header leaves the picture out and names it; other files are ignored', async () => {
    await pets(3, 3);
    await writeFile(path.join(dir, 'cats', 'broken.jpg'), 'not a picture');
    await writeFile(path.join(dir, 'cats', 'notes.txt'), 'hello');
    await writeFile(path.join(dir, 'cats', 'empty.png'), '');
    await writeFile(path.join(dir, 'cats', 'old.bmp'), 'BM');
    await writeFile(path.join(dir, 'cats', '._cat.0.jpg'), 'left by a Mac');
    const it = await flow();
    expect(it.samples).toBe(6);
    expect(it.skipped.map((s) => path.basename(s.path))).toEqual(['broken.jpg', 'empty.png', 'old.bmp']);
    expect(it.skipped[0]!.reason).not.toBe('');
  });

  test('a picture cut in half is replaced by another of its class and named once', async () => {
    await pets(3, 3);
    const victim = path.join(dir, 'dogs', 'dog.1.jpg');
    const whole = await readFile(victim);
    await writeFile(victim, whole.subarray(0, whole.length - 200));
    const it = await flow({ workers: 2 });
    const batches = await take(it, 6);
    expect(batches.map((b) => b.n)).toEqual([4, 2, 4, 2, 4, 2]);
    expect(it.skipped.map((s) => s.path)).toEqual([victim]);
    const epoch = batches.slice(0, 2).flatMap((b) => [...b.y]);
    expect(epoch.filter((y) => y === 1)).toHaveLength(3);
  });

  test('an empty folder, one class, an empty class, a folder that is not there, a file', async () => {
    expect((await problem(flow())).message).toContain('holds no folder');
    await picture(path.join(dir, 'cats', 'cat.jpg'), 10);
    const one = await problem(flow());
    expect(one).toMatchObject({ name: 'TrainerError', code: 'no_data' });
    expect(one.message).toContain('only the folder "cats"');
    await mkdir(path.join(dir, 'dogs'));
    await writeFile(path.join(dir, 'dogs', 'dog.jpg'), 'woof');
    const empty = await problem(flow());
    expect(empty.message).toContain('"dogs" has no pictures');
    expect(empty.message).toContain('dog.jpg');
    const gone = imageDataGenerator().flowFromDirectory(path.join(dir, 'gone'), {
      targetSize: [8, 8],
      batchSize: 1,
      classMode: 'binary',
    });
    expect((await problem(gone)).message).toContain("gone can't be read");
  });

  test('three classes in binary mode, and numbers out of range', async () => {
    await pets(1, 1);
    await picture(path.join(dir, 'birds', 'bird.jpg'), 90);
    expect((await problem(flow())).message).toContain('3 classes (birds, cats, dogs)');
    expect((await problem(flow({ batchSize: 0 }))).code).toBe('bad_option');
    expect((await problem(flow({ maxSamples: 2 }))).message).toContain('maxSamples');
    expect(() => imageDataGenerator({ zoomRange: 1 })).toThrow('zoomRange');
    expect(() => imageDataGenerator({ shearRange: Number.NaN })).toThrow('shearRange');
  });
});
