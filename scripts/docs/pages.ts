import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** Where a page's text comes from: a Markdown file of the repository, or what is drawn from the contracts. */
export interface Page {
  /** Its address in the site. */
  slug: string;
  /** In the navigation; its own first heading unless given. */
  title?: string;
  /** From the repository's root. */
  source: string;
  /** Markdown is read; the others are made of the OpenAPI description, or of the command line itself. */
  kind: 'markdown' | 'openapi' | 'cli';
}

const markdown = (slug: string, source: string, title?: string): Page => ({
  slug,
  source,
  title,
  kind: 'markdown',
});
const docs = (slug: string, title?: string): Page => markdown(slug, `docs/${slug}.md`, title);

/** The order in which they stand. A page whose file isn't there is left out; a file of docs/ that isn't named comes last. */
const order: { title: string; pages: Page[] }[] = [
  {
    title: 'Begin',
    pages: [
      markdown('index', 'docs/quick-start.md', 'Quick start'),
      docs('tutorial', 'Tutorial'),
      docs('concepts', 'Concepts'),
      docs('recipes', 'Recipes'),
    ],
  },
  {
    title: 'Use',
    pages: [
      docs('environments'),
      docs('modes', 'Jupyter, servers, exec'),
      docs('snapshots'),
      docs('teams', 'Teams'),
      docs('commands', 'floyd and mycloud.yml'),
      docs('floyd-cli'),
    ],
  },
  {
    title: 'Look up',
    pages: [
      { slug: 'cli', source: 'apps/cli/src/program.ts', title: 'Command line', kind: 'cli' },
      docs('api'),
      { slug: 'api-reference', source: 'docs/openapi.json', title: 'API reference', kind: 'openapi' },
    ],
  },
  {
    title: 'Run a server',
    pages: [
      docs('operating', 'Operating'),
      docs('cluster', 'Cluster'),
      docs('security', 'Security'),
      docs('runners'),
      docs('slurm', 'Slurm'),
      docs('scale', 'Scale'),
      docs('faults', 'Fault campaign'),
    ],
  },
  {
    title: 'Inside',
    pages: [
      markdown('readme', 'README.md', 'All at a glance'),
      markdown('architecture', 'ARCHITECTURE.md'),
      markdown('contributing', 'CONTRIBUTING.md'),
      markdown('changelog', 'CHANGELOG.md'),
    ],
  },
];

export interface Section {
  title: string;
  pages: Page[];
}

export function sectionsOf(root: string): Section[] {
  const named = new Set(order.flatMap(({ pages }) => pages.map(({ source }) => source)));
  const more = readdirSync(path.join(root, 'docs'))
    .filter((file) => file.endsWith('.md') && !named.has(`docs/${file}`))
    .sort()
    .map((file) => docs(path.basename(file, '.md')));
  return [...order, { title: 'More', pages: more }]
    .map(({ title, pages }) => ({
      title,
      pages: pages.filter(({ source }) => existsSync(path.join(root, source))),
    }))
    .filter(({ pages }) => pages.length > 0);
}
