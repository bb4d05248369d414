import { useSearchParams } from 'react-router';

/** Sets one value of the page's address, or takes it away when it is empty; going back skips the change. */
export function useSetInAddress<Name extends string>(): (name: Name, value: string) => void {
  const [, setSearch] = useSearchParams();
  return (name, value) =>
    setSearch(
      (old) => {
        if (value) old.set(name, value);
        else old.delete(name);
        return old;
      },
      { replace: true },
    );
}
