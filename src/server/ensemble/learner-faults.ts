/** Why connections of the quorum port were ended by this server, and how often; plain numbers, for whoever tells the operator. */
import { LEARNER_FAULTS } from '../../core/zab/leader-port.ts';

/** The machine's, and those of the connection itself. */
export const LINK_FAULTS = [
  ...LEARNER_FAULTS,
  'crowded',
  'TLS',
  'garbage',
  'cut off',
  'not reading',
  'behind',
  'too many requests',
  'history',
] as const;
export type LinkFault = (typeof LINK_FAULTS)[number];

export type LinkFaultCounts = Record<LinkFault, number>;

export function createLinkFaultCounts(): LinkFaultCounts {
  return Object.fromEntries(LINK_FAULTS.map((fault) => [fault, 0])) as LinkFaultCounts;
}
