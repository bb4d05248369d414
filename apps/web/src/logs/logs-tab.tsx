import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { isActive } from '../api/queries.js';
import type { TabProps } from '../job/job-page.js';
import { useKeys } from '../ui/keyboard.js';
import { Empty, ErrorNotice } from '../ui/notice.js';
import { GoToTime } from './go-to-time.js';
import { AnsiText, LogRow, lineName, parseLineName } from './log-line.js';
import type { Place } from './log-store.js';
import { LogToolbar } from './toolbar.js';
import { useLog } from './use-log.js';
import { lineHeight, useLogRows } from './use-log-rows.js';
import { useLogSearch } from './use-search.js';

/** A drag of the scroll bar asks only for where it rests. */
const restMs = 40;

export function LogsTab({ job, at }: TabProps) {
  const active = isActive(job);
  const { log, state } = useLog(at, active);
  const { hash } = useLocation();
  const navigate = useNavigate();
  const linked = parseLineName(hash);
  const [follow, setFollow] = useState(active && !linked);
  const [wrap, setWrap] = useState(false);
  const [times, setTimes] = useState(false);
  const [text, setText] = useState('');
  const [match, setMatch] = useState(0);
  const search = useLogSearch(at, text.trim(), log.total);
  const scroller = useRef<HTMLDivElement>(null);
  const { total } = log;

  const { items, height, tall, scrollToIndex, measure } = useLogRows(scroller, total, wrap);
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a log that has grown is asked for what is new in sight
  useEffect(() => {
    const timer = setTimeout(() => log.want(first, last), restMs);
    return () => clearTimeout(timer);
  }, [log, first, last, total]);

  useLayoutEffect(() => {
    if (follow && total > 0) scrollToIndex(total - 1, 'end');
  }, [follow, total, scrollToIndex]);

  const jump = useCallback(
    (place: Place) => {
      setFollow(false);
      const index = log.indexOf(place);
      if (index >= 0) scrollToIndex(index, 'center');
    },
    [log, scrollToIndex],
  );
  // A linked line is shown once, as soon as it is known where it is.
  const arrived = useRef('');
  useEffect(() => {
    if (!linked || total === 0 || arrived.current === hash) return;
    arrived.current = hash;
    jump(linked);
  });
  const goTo = (number: number) => {
    const found = search.matches[number];
    if (!found) return;
    setMatch(number);
    jump(found);
  };
  // The first match shows itself.
  const firstMatch = search.matches[0];
  const shownFor = useRef('');
  useEffect(() => {
    if (!firstMatch || shownFor.current === text) return;
    shownFor.current = text;
    setMatch(0);
    jump(firstMatch);
  }, [firstMatch, text, jump]);

  const toEnd = () => scrollToIndex(total - 1, 'end');
  const toStart = () => {
    setFollow(false);
    scrollToIndex(0, 'start');
  };
  useKeys({ f: () => setFollow(!follow), g: toStart, G: toEnd });

  const current = search.matches[match];
  const marked = text.trim().toLowerCase();
  const scrolled = useRef(0);
  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    const up = element.scrollTop < scrolled.current - 2;
    scrolled.current = element.scrollTop;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < lineHeight;
    if (follow && up && !atEnd) setFollow(false);
  };

  return (
    <section className="logs" aria-label="Log">
      <LogToolbar
        at={at}
        state={state}
        follow={follow}
        setFollow={active || follow ? setFollow : undefined}
        wrap={wrap}
        setWrap={tall ? undefined : setWrap}
        times={times}
        setTimes={setTimes}
        text={text}
        setText={setText}
        search={search}
        match={match}
        goTo={goTo}
        total={total}
        goToTime={<GoToTime job={job} at={at} jump={jump} />}
        goToLine={(seq) => jump({ attempt: log.end.attempt, seq })}
        toStart={toStart}
        toEnd={toEnd}
      />
      {log.error !== undefined && state !== 'away' && <ErrorNotice error={log.error} />}
      {total === 0 && state !== 'reading' && !log.progress ? (
        <Empty title={active ? 'No lines yet' : 'It printed nothing'}>
          {active ? (job.message ?? 'Lines appear here as the job prints them.') : ''}
        </Empty>
      ) : (
        <div
          className={`log ${wrap && !tall ? 'wrap' : ''}`}
          ref={scroller}
          onScroll={onScroll}
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label="Lines"
          data-total={total}
        >
          <div className="log-body" style={{ height }}>
            {items.map(({ index, start }) => {
              const place = log.placeOf(index);
              if (!place) return null;
              const line = log.line(index);
              const isCurrent = current?.attempt === place.attempt && current.seq === place.seq;
              const isLinked =
                linked?.seq === place.seq && (!log.severalAttempts || linked.attempt === place.attempt);
              return (
                <div
                  key={index}
                  ref={measure}
                  data-index={index}
                  className={`line ${line?.source ?? ''} ${isCurrent ? 'current' : ''} ${isLinked ? 'linked' : ''}`}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <LogRow
                    line={line}
                    place={place}
                    severalAttempts={log.severalAttempts}
                    search={marked}
                    times={times}
                    link={() => {
                      arrived.current = `#${lineName(place, log.severalAttempts)}`;
                      navigate(arrived.current, { replace: true });
                    }}
                  />
                </div>
              );
            })}
          </div>
        </div>
      )}
      {log.progress && (
        <div className="progress-line">
          <AnsiText text={log.progress} search="" />
        </div>
      )}
    </section>
  );
}
