import { useVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useCallback, useEffect } from 'react';
import { useTallRows } from './use-tall-rows.js';

export const lineHeight = 20;
/** Up to so many lines their heights add up to what an element can have, and may differ. */
const mostMeasured = 1_000_000;

/** The lines in sight, whatever the length of the log. Lines of a very long one are never wrapped. */
export function useLogRows(scroller: RefObject<HTMLDivElement | null>, total: number, wrap: boolean) {
  const tall = total > mostMeasured;
  const measured = useVirtualizer({
    count: tall ? 0 : total,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 30,
  });
  const fixed = useTallRows(scroller, tall ? total : 0, lineHeight);
  const { scrollToIndex: toFixed } = fixed;
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights measured one way are wrong the other way
  useEffect(() => measured.measure(), [wrap]);
  const scrollToIndex = useCallback(
    (index: number, align: 'start' | 'center' | 'end') =>
      tall ? toFixed(index, align) : measured.scrollToIndex(index, { align }),
    [tall, toFixed, measured],
  );
  return {
    tall,
    scrollToIndex,
    height: tall ? fixed.height : measured.getTotalSize(),
    items: tall ? fixed.items : measured.getVirtualItems(),
    /** Given to each line that may be higher than the others. */
    measure: wrap && !tall ? measured.measureElement : undefined,
  };
}
