/** What a term as follower or observer is given of this server. On the thread of the core. */
import type { Clock } from '../../base/clock.ts';
import type { EventLoop } from '../../base/event-loop.ts';
import type { Transport } from '../../net/transport.ts';
import type { EnsembleMeter } from '../monitor/ensemble-meter.ts';
import type { KnownMembership } from './known-membership.ts';

export interface LearnerTermOptions {
  readonly sid: number;
  readonly tickMs: number;
  readonly initLimit: number;
  /** For connecting to a leader. */
  readonly connectLimit: number;
  /** An observer waits up to this long before it connects, so that not all come at once. */
  readonly observerDelayMs: number;
  readonly syncLimit: number;
  readonly packetBytesMax: number;
  readonly meter: EnsembleMeter;
  readonly membership: KnownMembership;
}

/** What a server has promised and taken over; lives as long as the server. */
export interface Epochs {
  accepted: number;
  current: number;
}

/** What it needs of the machine. */
export interface TermPlatform {
  readonly loop: EventLoop;
  readonly transport: Transport;
  readonly clock: Clock;
  entropy(): number;
}
