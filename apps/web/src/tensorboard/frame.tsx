import { ExternalLink } from 'lucide-react';
import { useState } from 'react';
import { useTheme } from '../ui/theme.js';

/**
 * The real one, kept apart: its documents have an origin of their own (the server says so too), so that nothing that an
 * event file might make of it reaches this page or its session.
 */
export function Frame({ path, live, message }: { path: string; live: boolean; message: string | null }) {
  const { shown: theme } = useTheme();
  const [loaded, setLoaded] = useState(false);
  // What it was opened with stays: another address would load it anew.
  const [src] = useState(() => `${path}?theme=${theme}${live ? '&reload=1' : ''}`);
  return (
    <section className="board" aria-label="TensorBoard">
      <div className="board-bar">
        <span className="dim" role="status">
          {loaded ? message : 'Opening TensorBoard…'}
        </span>
        <a className="button" href={src} target="_blank" rel="noreferrer">
          <ExternalLink size={14} aria-hidden /> Open in a tab of its own
        </a>
      </div>
      <iframe
        className="board-frame"
        title="TensorBoard"
        src={src}
        sandbox="allow-scripts allow-popups allow-downloads allow-forms allow-modals"
        onLoad={() => setLoaded(true)}
      />
    </section>
  );
}
