import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useRef } from 'react';

interface Props<T> {
  items: readonly T[];
  /** Pixels, the same for all. */
  rowHeight: number;
  keyOf: (item: T) => string;
  children: (item: T) => ReactNode;
  label?: string;
  /** Called when the last rows come into sight. */
  onEnd?: () => void;
}

/** A list of any length of which only what is in sight stands in the page. */
export function VirtualList<T>({ items, rowHeight, keyOf, children, label, onEnd }: Props<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    onChange: ({ range }) => {
      if (range && range.endIndex >= items.length - 1) onEnd?.();
    },
  });
  return (
    <div className="virtual" ref={scroller} tabIndex={-1}>
      <ul aria-label={label} data-total={items.length} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const item = items[index]!;
          return (
            <li
              key={keyOf(item)}
              aria-setsize={items.length}
              aria-posinset={index + 1}
              style={{ height: rowHeight, transform: `translateY(${start}px)` }}
            >
              {children(item)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
