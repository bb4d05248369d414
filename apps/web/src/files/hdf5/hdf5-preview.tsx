import { Box, Folder } from 'lucide-react';
import { bytesText, countText } from '../../ui/format.js';
import { ErrorNotice, Loading } from '../../ui/notice.js';
import { type FileToRead, useFileWork } from '../file-work.js';
import type { Hdf5Node, Hdf5Tree } from './read-hdf5.js';

/** The format has to be read whole, into memory. */
const mostBytes = 128 * 1024 * 1024;
/** Longer attributes, such as a model's configuration, are folded. */
const shortText = 120;

const start = () => new Worker(new URL('./hdf5.worker.ts', import.meta.url), { type: 'module' });

export function Hdf5Preview(file: FileToRead) {
  if (file.size > mostBytes) {
    return (
      <p className="notice">
        An HDF5 file is read whole, and this one is larger than {bytesText(mostBytes)}: download it.
      </p>
    );
  }
  return <Structure {...file} />;
}

function Structure(file: FileToRead) {
  const found = useFileWork<Hdf5Tree>('hdf5', start, file);
  if (found.error) return <ErrorNotice error={found.error} />;
  if (!found.data) return <Loading what="the file" />;
  const { nodes, datasets, numbers, more } = found.data;
  return (
    <>
      <p className="dim">
        {countText(datasets, 'dataset')}, {countText(numbers, 'number')} in all.
        {more && ' The file holds more than is listed here.'}
      </p>
      <div className="csv" tabIndex={0}>
        <table className="hdf5">
          <thead>
            <tr>
              {['Name', 'Shape', 'Type', 'Holds'].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {nodes.map((node) => (
              <Row key={node.path} node={node} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ node }: { node: Hdf5Node }) {
  const { path, depth, kind, shape, type, values, attributes } = node;
  const Icon = kind === 'group' ? Folder : Box;
  return (
    <tr>
      <th scope="row" style={{ paddingLeft: 12 + depth * 16 }} title={path}>
        <Icon size={14} aria-hidden /> {path.split('/').at(-1) || '/'}
      </th>
      <td className="number">{shape && (shape.length > 0 ? shape.join(' × ') : 'one value')}</td>
      <td>{type}</td>
      <td className="hdf5-text">
        {values !== undefined && <Text name="value" text={values} />}
        {attributes.map(({ name, text }) => (
          <Text key={name} name={name} text={text} />
        ))}
      </td>
    </tr>
  );
}

const Text = ({ name, text }: { name: string; text: string }) =>
  text.length > shortText ? (
    <details>
      <summary>{name}</summary>
      <p>{text}</p>
    </details>
  ) : (
    <p>
      <span className="dim">{name}</span> {text}
    </p>
  );
