import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { call, fileUrl } from '../api/call.js';
import { countText } from '../ui/format.js';

const perClass = 12;
/** Folders looked into, and how deep: a set with more has no classes that a grid could show. */
const mostFolders = 40;
const depth = 3;
const picture = /\.(png|jpe?g|gif|webp|bmp|avif)$/i;

interface ClassFolder {
  path: string;
  count: number;
  pictures: { name: string; path: string }[];
}

/** The folders that hold pictures, as Keras reads classes: train/cats, train/dogs, … */
async function findClasses(snapshotId: string, signal: AbortSignal): Promise<ClassFolder[]> {
  const found: ClassFolder[] = [];
  let level = [''];
  for (let deep = 0, looked = 0; level.length > 0 && deep <= depth && looked < mostFolders; deep++) {
    const now = level.slice(0, mostFolders - looked);
    looked += now.length;
    const listings = await Promise.all(
      now.map((path) =>
        call('GET /v1/snapshots/:id/files', { params: { id: snapshotId }, query: { path } }, { signal }),
      ),
    );
    level = [];
    listings.forEach(({ items }, i) => {
      const pictures = items.filter((item) => item.type === 'file' && picture.test(item.name));
      if (pictures.length > 0)
        found.push({ path: now[i] as string, count: pictures.length, pictures: pictures.slice(0, perClass) });
      level.push(...items.filter((item) => item.type === 'dir').map((item) => item.path));
    });
  }
  return found;
}

/** The first pictures of each class. Shows nothing for a dataset without pictures. */
export function ClassPictures({ snapshotId }: { snapshotId: string }) {
  const found = useQuery({
    queryKey: ['classes', snapshotId],
    queryFn: ({ signal }) => findClasses(snapshotId, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!found.data?.length) return null;
  return (
    <section aria-label="Pictures">
      <h2 className="section-title">Pictures</h2>
      <div className="classes">
        {found.data.map(({ path, count, pictures }) => (
          <figure key={path} className="class">
            <figcaption>
              <b>{path || '/'}</b> <span className="dim">{countText(count, 'picture')}</span>
            </figcaption>
            <div className="class-grid">
              {pictures.map((one) => (
                <Link
                  key={one.path}
                  to={`?folder=${encodeURIComponent(path)}&file=${encodeURIComponent(one.path)}`}
                  preventScrollReset
                >
                  <img
                    src={fileUrl(snapshotId, one.path)}
                    alt={one.path}
                    loading="lazy"
                    width="96"
                    height="96"
                  />
                </Link>
              ))}
            </div>
          </figure>
        ))}
      </div>
    </section>
  );
}
