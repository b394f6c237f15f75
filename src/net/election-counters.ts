/** What happened on the election port since start; plain numbers, read by whoever tells the operator. */
import { REFUSALS, type Refusal } from './election-connection.ts';

export interface MeshCounters {
  accepted: number;
  dials: number;
  failedDials: number;
  /** Smaller servers that asked to be dialled. */
  callBacks: number;
  links: number;
  sent: number;
  received: number;
  /** Received and not read, because 100 newer ones came. */
  dropped: number;
  /** Messages in good frames that say nothing: skipped, as in Apache. */
  malformed: number;
  /** Connections ended, by reason. */
  readonly refused: Record<Refusal, number>;
}

export function createMeshCounters(): MeshCounters {
  const refused = Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as Record<Refusal, number>;
  return {
    accepted: 0,
    dials: 0,
    failedDials: 0,
    callBacks: 0,
    links: 0,
    sent: 0,
    received: 0,
    dropped: 0,
    malformed: 0,
    refused,
  };
}
