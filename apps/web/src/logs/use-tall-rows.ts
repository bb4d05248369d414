import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

/** A browser lets no element be higher than 33 million pixels or so. */
const mostPixels = 10_000_000;
const overscan = 30;
/** So near to an end of the element the place is set anew, unless it is the end of the list too. */
const edge = 2000;

/** Where things stand: `top` is the place in the whole list, `shift` how far that is from the element's own scroll position. */
interface Place {
  top: number;
  shift: number;
}

/**
 * Rows of one height in a list that is longer than an element can be. A short scroll moves by as much as it would anyway; a long
 * one, as of a dragged scroll bar, goes to the part of the list that the bar shows. (As SlickGrid does it.)
 */
export function useTallRows(scroller: RefObject<HTMLElement | null>, count: number, rowHeight: number) {
  const whole = count * rowHeight;
  const height = Math.min(whole, mostPixels);
  const [place, setPlace] = useState<Place>({ top: 0, shift: 0 });
  const [viewport, setViewport] = useState(0);
  const now = useRef({ top: 0, shift: 0, scrolled: 0 });

  /** Puts a place of the whole list at the top of what is seen. */
  const show = useCallback(
    (wanted: number) => {
      const element = scroller.current;
      if (!element) return;
      const room = Math.max(1, whole - element.clientHeight);
      const top = Math.min(Math.max(0, wanted), room);
      element.scrollTop = (top / room) * (height - element.clientHeight);
      const scrolled = element.scrollTop;
      now.current = { top, shift: top - scrolled, scrolled };
      setPlace({ top, shift: top - scrolled });
    },
    [scroller, whole, height],
  );

  useEffect(() => {
    const element = scroller.current;
    if (!element || count === 0) return;
    const onScroll = () => {
      const { shift, scrolled } = now.current;
      const at = element.scrollTop;
      const view = element.clientHeight;
      const far = Math.abs(at - scrolled) > view;
      const top = far ? (at / (height - view)) * (whole - view) : at + shift;
      const before = at < edge && top > edge;
      const after = at > height - view - edge && top < whole - view - edge;
      if (before || after || top < 0 || top > whole - view) return show(top);
      now.current = { top, shift: top - at, scrolled: at };
      setPlace({ top, shift: top - at });
    };
    const observer = new ResizeObserver(() => setViewport(element.clientHeight));
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [scroller, count, whole, height, show]);

  const scrollToIndex = useCallback(
    (index: number, align: 'start' | 'center' | 'end') => {
      const room = (scroller.current?.clientHeight ?? 0) - rowHeight;
      const above = { start: 0, center: room / 2, end: room }[align];
      show(index * rowHeight - above);
    },
    [scroller, rowHeight, show],
  );

  const first = Math.max(0, Math.floor(place.top / rowHeight) - overscan);
  const last = Math.min(count - 1, Math.ceil((place.top + viewport) / rowHeight) + overscan);
  const items = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ({
    index: first + i,
    start: (first + i) * rowHeight - place.shift,
  }));
  return { items, height, scrollToIndex };
}
