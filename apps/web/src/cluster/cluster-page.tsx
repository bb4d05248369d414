import { useQuery } from '@tanstack/react-query';
import { machinesQuery, meQuery, workersQuery } from '../api/queries.js';
import { countText, memoryText } from '../ui/format.js';
import { useHead } from '../ui/head.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { Table } from '../ui/table.js';
import { Queue } from './queue.js';
import { WorkerCard } from './worker-card.js';

/** The workers with what they run, the machines, and the queue. */
export function ClusterPage() {
  useHead('Cluster');
  const workers = useQuery(workersQuery);
  const machines = useQuery(machinesQuery);
  const me = useQuery(meQuery);
  return (
    <div className="page">
      <h1>Cluster</h1>
      <h2 className="section-title">Workers</h2>
      {workers.error && !workers.data && (
        <ErrorNotice error={workers.error} retry={() => workers.refetch()} />
      )}
      {workers.isPending && <Loading what="workers" />}
      {workers.data?.items.length === 0 && (
        <Empty title="No worker yet" commands={['mycloud token create --worker']}>
          `mycloud up` brings one; on another computer start it with a worker’s token:
        </Empty>
      )}
      <ul className="cards">
        {workers.data?.items.map((worker) => (
          <WorkerCard key={worker.id} worker={worker} admin={me.data?.role === 'admin'} />
        ))}
      </ul>
      {machines.data && (
        <>
          <h2 className="section-title">Machines one may ask for</h2>
          <Table
            label="Machines one may ask for"
            heads={['Machine', 'Cores', 'Memory', 'GPUs', 'Offered by']}
          >
            {machines.data.items.map((machine) => (
              <tr key={machine.name}>
                <th scope="row">{machine.name}</th>
                <td className="number">{machine.cores}</td>
                <td className="number">{memoryText(machine.memoryBytes)}</td>
                <td className="number">{machine.gpus}</td>
                <td>{countText(machine.workers, 'worker')}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
      <h2 className="section-title">Queue, next first</h2>
      <Queue />
    </div>
  );
}
