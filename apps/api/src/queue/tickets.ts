import type { Ticket } from '@mycloud/shared';

/** BullMQ wakes workers, Postgres decides: a lost, late or doubled ticket costs time, never a job. */
export interface TicketQueue {
  readonly backend: 'postgres' | 'redis';
  /** Puts a ticket into the machine's queue; lower priority numbers are taken first. */
  send(machine: string, ticket: Ticket, priority: number): Promise<void>;
  close(): Promise<void>;
}
