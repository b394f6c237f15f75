/**
 * The replicas of one server, one after the other. A state that is replaced as a whole (another snapshot at start-up,
 * one that a leader sends, a log that is truncated) is a new replica, empty by construction: there is no list of things
 * to reset that could forget one. What outlives them is here: connections, time, statistics, the store's memory.
 *
 *     begin ─▶ the old replica lets its connections go and gives its memory back ─▶ a new, empty one, to be filled
 *              (Loader) and started
 *
 * Core thread; owned by the host.
 */
import { SegmentPool } from '../shm/segments.ts';
import { ClientTable } from './client/client-table.ts';
import { ServerRole } from './progress/commit-point.ts';
import { Statistics } from './progress/statistics.ts';
import { TurnClock } from './progress/turn-clock.ts';
import { TurnWork } from './progress/turn-work.ts';
import { Replica } from './replica.ts';
import type { ReplicaOptions, ReplicaPorts, Surroundings } from './replica-parts.ts';

export class Incarnations {
  readonly surroundings: Surroundings = {
    role: new ServerRole(),
    clock: new TurnClock(),
    work: new TurnWork(),
    statistics: new Statistics(),
    clients: new ClientTable(),
    segments: new SegmentPool(),
  };
  private readonly options: ReplicaOptions;
  private readonly ports: ReplicaPorts;
  private current: Replica;

  constructor(options: ReplicaOptions, ports: ReplicaPorts) {
    this.options = options;
    this.ports = ports;
    this.current = new Replica(options, ports, this.surroundings);
  }

  /** The present one; not to be kept. */
  get replica(): Replica {
    return this.current;
  }

  /** The next one takes the present one's place. */
  begin(): Replica {
    this.current.retire();
    this.current = new Replica(this.options, this.ports, this.surroundings);
    return this.current;
  }
}
