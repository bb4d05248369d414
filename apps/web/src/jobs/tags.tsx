import { useSetInAddress } from '../ui/address.js';

/** Tags of a job in a list: pressing one shows the jobs that have it. */
export function Tags({ tags }: { tags: readonly string[] }) {
  const set = useSetInAddress();
  return tags.map((tag) => (
    <button
      key={tag}
      type="button"
      className="tag"
      title={`Jobs tagged ${tag}`}
      onClick={() => set('tag', tag)}
    >
      {tag}
    </button>
  ));
}
