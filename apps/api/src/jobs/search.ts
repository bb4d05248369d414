import type { Deps } from '../deps.js';

/** So many jobs with a text are found by the index of texts and then looked at one by one. */
const foundByIndex = 5000;

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/**
 * The condition that a job (`j`) has a text in its command, its description, a tag or its name.
 *
 * A text that few jobs have is looked up in the index of texts. One that many have is not: among the newest jobs enough are
 * found at once, while all that the index knows would have to be sorted by their time.
 * @param add puts a value among those of the query and returns its name there
 */
export async function textCondition(
  { pool }: Deps,
  text: string,
  add: (value: unknown) => string,
): Promise<string> {
  const pattern = `%${escaped(text)}%`;
  const [texts, named, numbered] = await Promise.all([
    pool.query<{ jobId: string }>(
      `SELECT "jobId" FROM "JobText" WHERE text ILIKE $1 LIMIT ${foundByIndex + 1}`,
      [pattern],
    ),
    projectsLike(pool, pattern),
    numberedJobs(pool, text),
  ]);
  const ways: string[] = [];
  if (texts.rows.length <= foundByIndex)
    ways.push(`j.id = ANY(${add(texts.rows.map((row) => row.jobId))}::uuid[])`);
  else ways.push(`EXISTS (SELECT FROM "JobText" t WHERE t."jobId" = j.id AND t.text ILIKE ${add(pattern)})`);
  if (named.length > 0) ways.push(`j."projectId" = ANY(${add(named)}::uuid[])`);
  if (numbered) {
    const projects = add(numbered.projects);
    for (const [from, to] of numbered.ranges)
      ways.push(`(j."projectId" = ANY(${projects}::uuid[]) AND j.number BETWEEN ${from} AND ${to})`);
  }
  return `(${ways.join(' OR ')})`;
}

/** Projects whose jobs' names all have it: those names begin alike. */
async function projectsLike(pool: Deps['pool'], pattern: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT p.id FROM "Project" p JOIN "User" u ON u.id = p."ownerId"
     WHERE u.name || '/projects/' || p.name || '/' ILIKE $1`,
    [pattern],
  );
  return rows.map((row) => row.id);
}

/** A text such as `cats/12`, the end of a project's name and the beginning of a number: of 12, 120 to 129, 1200 to 1299 … */
async function numberedJobs(
  pool: Deps['pool'],
  text: string,
): Promise<{ projects: string[]; ranges: [number, number][] } | undefined> {
  const [, end, digits] = /^(.+\/)([1-9]\d{0,8})$/s.exec(text) ?? [];
  if (!end || !digits) return undefined;
  const projects = await projectsLike(pool, `%${escaped(end)}`);
  const ranges = Array.from({ length: 10 - digits.length }, (_, more): [number, number] => {
    const first = Number(digits) * 10 ** more;
    return [first, first + 10 ** more - 1];
  });
  return projects.length > 0 ? { projects, ranges } : undefined;
}
