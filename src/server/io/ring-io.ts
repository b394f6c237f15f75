/**
 * An io agent whose core is on another thread: ties the connection table to the two rings of its link and wakes for
 * the bell. Runs on the main thread in mode `pipeline` and in io workers in mode `dedicated`.
 */
import { Bell } from '../../shm/bell.ts';
import type { Log } from '../logging/logging.ts';
import type { LoopPlatform } from '../platform/platform.ts';
import { IoAgent, type IoAgentOptions } from './io-agent.ts';
import { type IoLinkHandle, TURNS_ASKED, TURNS_DONE, waitWords } from './io-link.ts';
import { ReplyRingReader } from './reply-ring.ts';
import { RequestRingWriter } from './request-ring.ts';
import { LoopSocketTurns } from './socket-turns.ts';

/** Replies taken between two flushes: the slabs they fill are still in the cache when the socket reads them. */
const REPLIES_PER_ROUND = 512;
// Sockets get a look in after about a millisecond of replies; more than any reply ring holds when replies are large.
const ROUNDS_PER_TURN_MAX = 8;

export type RingIoOptions = Omit<IoAgentOptions, 'io' | 'slotCount' | 'meter'>;

export class RingIo {
  readonly agent: IoAgent;
  private readonly requests: RequestRingWriter;
  private readonly replies: ReplyRingReader;
  /** To be called for each message that rings the bell, if it is rung by message. */
  readonly onBell: () => void;
  private readonly bell: Bell;
  private readonly coreBell: Bell;
  private readonly words: Int32Array;
  private readonly turns: LoopSocketTurns;
  private seenAsked = 0;
  private closed = false;

  constructor(link: IoLinkHandle, options: RingIoOptions, platform: LoopPlatform, log: Log) {
    const { io, slotCount, meter } = link;
    this.agent = new IoAgent({ ...options, io, slotCount, meter }, platform, log);
    this.requests = new RequestRingWriter(link, options.limits.frameBytesMax, this.agent.meter);
    this.replies = new ReplyRingReader(link, this.agent.table, (conn) => this.requests.onDrained(conn));
    // Sockets come between two wake-ups, however full the ring is.
    this.bell = new Bell(link.ioBell, platform.loop.soon, { byMessage: platform.isWokenByMessage });
    this.onBell = this.bell.onMessage;
    this.coreBell = new Bell(link.coreBell);
    this.words = waitWords(link);
    this.turns = new LoopSocketTurns(platform.loop, this.agent.table, () => this.onTurnsDone());
    this.agent.attach(this.requests, this.replies, this.takeReplies);
    this.park();
  }

  /** Once the core has ended: sends all it has left in the ring, then as `IoAgent.close`. */
  async close(): Promise<void> {
    while (!this.replies.isEmpty) {
      this.takeReplies();
      this.agent.table.flush();
    }
    await this.agent.close();
    this.closed = true;
  }

  private park(): void {
    this.bell.parkAsync(this.hasWork, this.onWake);
  }

  private readonly hasWork = (): boolean =>
    !this.replies.isEmpty || this.requests.roomCame || this.isAskedForTurns;

  private get isAskedForTurns(): boolean {
    return Atomics.load(this.words, TURNS_ASKED) !== this.seenAsked;
  }

  // What the sockets brought was published chunk by chunk.
  private onTurnsDone(): void {
    Atomics.store(this.words, TURNS_DONE, this.seenAsked);
    this.coreBell.ring();
  }

  private readonly takeReplies = (): void => {
    let rounds = 0;
    while (this.replies.poll(REPLIES_PER_ROUND) === REPLIES_PER_ROUND && ++rounds < ROUNDS_PER_TURN_MAX) {
      this.agent.table.flush();
    }
  };

  private readonly onWake = (): void => {
    if (this.closed) return;
    const table = this.agent.table;
    if (this.isAskedForTurns) {
      this.seenAsked = Atomics.load(this.words, TURNS_ASKED);
      this.turns.ask();
    }
    this.takeReplies();
    if (this.requests.roomCame && this.requests.onRoom()) table.onRequestRoom();
    table.flush();
    this.park();
  };
}
