/**
 * An io agent whose core is on another thread: ties the connection table to the two rings of its link and wakes for
 * the bell. Runs on the main thread in mode `pipeline` and in io workers in mode `dedicated`.
 */
import { Bell } from '../../shm/bell.ts';
import { IoAgent, type IoAgentOptions } from './io-agent.ts';
import type { IoLinkHandle } from './io-link.ts';
import { ReplyRingReader } from './reply-ring.ts';
import { RequestRingWriter } from './request-ring.ts';

// Replies taken between two looks at the sockets: about a millisecond of work.
const REPLIES_PER_WAKE_MAX = 4096;

export type RingIoOptions = Omit<IoAgentOptions, 'io' | 'slotCount'>;

export class RingIo {
  readonly agent: IoAgent;
  private readonly requests: RequestRingWriter;
  private readonly replies: ReplyRingReader;
  private readonly bell: Bell;
  private closed = false;

  constructor(link: IoLinkHandle, options: RingIoOptions) {
    this.agent = new IoAgent({ ...options, io: link.io, slotCount: link.slotCount });
    this.requests = new RequestRingWriter(link, options.limits.frameBytesMax);
    this.replies = new ReplyRingReader(link, this.agent.table, (conn) => this.requests.onDrained(conn));
    // Sockets come between two wake-ups, however full the ring is.
    this.bell = new Bell(link.ioBell, setImmediate);
    this.agent.attach(this.requests, this.replies, nothing);
    this.park();
  }

  /** Stops listening to the core; after `agent.close`. */
  close(): void {
    this.closed = true;
  }

  private park(): void {
    this.bell.parkAsync(this.hasWork, this.onWake);
  }

  private readonly hasWork = (): boolean => !this.replies.isEmpty || this.requests.roomCame;

  private readonly onWake = (): void => {
    if (this.closed) return;
    const table = this.agent.table;
    this.replies.poll(REPLIES_PER_WAKE_MAX);
    if (this.requests.roomCame && this.requests.onRoom()) table.onRequestRoom();
    table.flush();
    table.continueStopped();
    this.park();
  };
}

function nothing(): void {}
