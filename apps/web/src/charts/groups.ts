interface SeriesRef {
  name: string;
  /** Which of the chart's lines it is: train, validation, test, or the metric itself. */
  role: string;
}

export interface ChartGroup {
  title: string;
  section: string;
  series: SeriesRef[];
}

const systemTitles: Record<string, { title: string; series: string }> = {
  'system/cpu': { title: 'CPU (%)', series: 'CPU' },
  'system/memory': { title: 'Memory (bytes)', series: 'memory' },
  'system/gpu': { title: 'GPU (%)', series: 'GPU' },
  'system/gpu_memory': { title: 'GPU memory (bytes)', series: 'GPU memory' },
};

/** Training and validation of a kind belong into one chart: `val_acc` with `acc`, `Graph/validation/loss` with `Graph/train/loss`. */
function placeOf(name: string): { key: string; role: string } {
  const parts = name.split('/');
  let role = 'train';
  const kept = parts.filter((part) => {
    const found = /^(train|training|val|validation|test|eval)$/i.exec(part)?.[1]?.toLowerCase();
    if (found && parts.length > 1)
      role = found.startsWith('val') ? 'validation' : found.startsWith('train') ? 'train' : found;
    return !found || parts.length === 1;
  });
  const last = kept.at(-1) ?? name;
  const prefix = /^(?:epoch_)?(train|val|test|eval)_(.+)$/.exec(last);
  if (prefix) {
    role = prefix[1] === 'val' ? 'validation' : (prefix[1] as string);
    kept[kept.length - 1] = prefix[2] as string;
  }
  return { key: kept.join('/'), role };
}

/** The charts of a job: its own metrics first, then those of event files by folder, then the machine's. */
export function groupSeries(names: readonly string[]): ChartGroup[] {
  const charts = new Map<string, ChartGroup>();
  for (const name of names) {
    const system = name.startsWith('system/');
    const { key, role } = system
      ? { key: name, role: systemTitles[name]?.series ?? name.slice(7) }
      : placeOf(name);
    const slash = key.lastIndexOf('/');
    const section = system ? 'System' : slash < 0 ? 'Metrics' : key.slice(0, slash);
    const chart = charts.get(key) ?? {
      title: system ? (systemTitles[name]?.title ?? name.slice(7)) : key.slice(slash + 1),
      section,
      series: [],
    };
    // Two of one part, such as `loss` and `train_loss`, go by their names.
    const taken = chart.series.some((one) => one.role === role);
    chart.series.push({ name, role: taken ? name : role });
    charts.set(key, chart);
  }
  const order = (section: string) => (section === 'Metrics' ? 0 : section === 'System' ? 2 : 1);
  for (const chart of charts.values())
    chart.series.sort((a, b) => (a.role === 'train' ? -1 : b.role === 'train' ? 1 : 0));
  return [...charts.values()].sort(
    (a, b) =>
      order(a.section) - order(b.section) ||
      a.section.localeCompare(b.section) ||
      a.title.localeCompare(b.title),
  );
}
