import { X } from 'lucide-react';

/** Takes a row of the form away. @param what such as `mount 2` */
export function TakeAway({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" className="icon-button" aria-label={`Take ${what} away`} onClick={onClick}>
      <X size={14} aria-hidden />
    </button>
  );
}
