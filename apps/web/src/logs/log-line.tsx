import type { LogLine } from '@mycloud/shared/browser';
import Anser from 'anser';
import { type CSSProperties, Fragment, memo } from 'react';
import type { Place } from './log-store.js';

interface Props {
  line: LogLine | undefined;
  place: Place;
  severalAttempts: boolean;
  search: string;
  times: boolean;
  link: () => void;
}

/** How a line is called in the address: L12, or L2.12 where there are several attempts. */
export const lineName = ({ attempt, seq }: Place, several: boolean): string =>
  several ? `L${attempt}.${seq}` : `L${seq}`;

export function parseLineName(hash: string): Place | undefined {
  const match = /^#L(?:(\d+)\.)?(\d+)$/.exec(hash);
  return match ? { attempt: Number(match[1] ?? 1), seq: Number(match[2]) } : undefined;
}

export const LogRow = memo(function LogRow({ line, place, severalAttempts, search, times, link }: Props) {
  const name = lineName(place, severalAttempts);
  return (
    <>
      <a
        className="line-number"
        href={`#${name}`}
        aria-label={`Link to line ${name.slice(1)}`}
        onClick={(event) => {
          event.preventDefault();
          link();
        }}
      >
        {name.slice(1)}
      </a>
      {times && (
        <time className="line-time">{line ? new Date(line.time).toLocaleTimeString('en-GB') : ''}</time>
      )}
      {line?.source === 'system' && <span className="system-mark">mycloud</span>}
      <span className="line-text">{line ? <AnsiText text={line.text} search={search} /> : ' '}</span>
    </>
  );
});

/** Text with the colours that its escapes ask for; anything else in it is text. */
export function AnsiText({ text, search }: { text: string; search: string }) {
  if (!text.includes('\x1b')) return <Marked text={text} search={search} />;
  return Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a line don't move
    <span key={i} className={classOf(part)} style={styleOf(part)}>
      <Marked text={part.content} search={search} />
    </span>
  ));
}

type Part = ReturnType<typeof Anser.ansiToJson>[number];

function classOf({ fg, bg, decorations }: Part): string {
  const names = decorations.map((one) => `ansi-${one}`);
  if (fg?.startsWith('ansi-') && fg !== 'ansi-truecolor') names.push(fg);
  if (bg?.startsWith('ansi-') && bg !== 'ansi-truecolor') names.push(`${bg}-bg`);
  return names.join(' ');
}

/** Of 256 and of all colours. */
function styleOf({ fg, bg, fg_truecolor, bg_truecolor }: Part): CSSProperties | undefined {
  const color = fg === 'ansi-truecolor' ? `rgb(${fg_truecolor})` : paletteOf(fg);
  const backgroundColor = bg === 'ansi-truecolor' ? `rgb(${bg_truecolor})` : paletteOf(bg);
  return color || backgroundColor ? { color, backgroundColor } : undefined;
}

/** xterm's 6 × 6 × 6 cube and its greys. */
function paletteOf(name: string | null): string | undefined {
  const index = Number(/^ansi-palette-(\d+)$/.exec(name ?? '')?.[1] ?? -1);
  if (index < 0) return undefined;
  if (index >= 232) return `rgb(${Array(3).fill(8 + (index - 232) * 10)})`;
  const level = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level)})`;
}

function Marked({ text, search }: { text: string; search: string }) {
  if (!search) return text;
  const low = text.toLowerCase();
  const parts: { text: string; found: boolean; from: number }[] = [];
  let from = 0;
  for (let at = low.indexOf(search); at >= 0; at = low.indexOf(search, from)) {
    parts.push({ text: text.slice(from, at), found: false, from });
    from = at + search.length;
    parts.push({ text: text.slice(at, from), found: true, from: at });
  }
  if (parts.length === 0) return text;
  return (
    <>
      {parts.map((part) =>
        part.found ? (
          <mark key={part.from}>{part.text}</mark>
        ) : (
          <Fragment key={`before ${part.from}`}>{part.text}</Fragment>
        ),
      )}
      {text.slice(from)}
    </>
  );
}
