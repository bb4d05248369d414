interface Props {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  className?: string;
  children: string;
}

/** Gets the next page of a list, where there is one. */
export function MoreButton({ list, className = 'button', children }: Props) {
  if (!list.hasNextPage) return null;
  return (
    <button
      type="button"
      className={className}
      onClick={() => list.fetchNextPage()}
      disabled={list.isFetchingNextPage}
    >
      {children}
    </button>
  );
}
