import { Dialog } from '../ui/dialog.js';

const keys: [key: string, meaning: string][] = [
  ['/', 'search, here'],
  ['j  k', 'next and previous job; Enter opens it'],
  ['1 … 5', 'charts, logs, files, TensorBoard, details of a job'],
  ['x', 'choose the job, to compare it'],
  ['f', 'follow the log'],
  ['g  G', 'first and last line of the log'],
  ['?', 'this help'],
  ['Esc', 'closes, leaves a search'],
];

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="keys">
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              {key.split(/\s+/).map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="dim">
        The command line does all of this too: <code>mycloud --help</code>
      </p>
      <form method="dialog">
        <button type="submit" className="button">
          Close
        </button>
      </form>
    </Dialog>
  );
}
