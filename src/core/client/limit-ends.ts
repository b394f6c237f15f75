/**
 * Connections that the server has ended because their client asked for more than it may keep here: how many for which
 * reason, and who was the last. The core counts; whoever has a log says so now and then.
 */

/**
 * What a client had too much of: watches of its own, watches while all had too many, events, replies or the answer to a
 * four-letter word that it left unread.
 */
export type ClientLimit =
  | 'watchesOfConnection'
  | 'watchesOfAll'
  | 'unreadEvents'
  | 'heldReplies'
  | 'unreadWord';

export class LimitEnds {
  readonly counts: Record<ClientLimit, number> = {
    watchesOfConnection: 0,
    watchesOfAll: 0,
    unreadEvents: 0,
    heldReplies: 0,
    unreadWord: 0,
  };
  total = 0;
  lastLimit: ClientLimit | null = null;
  lastAddress = '';
  /** Slot in the session table, −1 without a session. */
  lastSession = -1;

  count(limit: ClientLimit, address: string, session: number): void {
    this.counts[limit]++;
    this.total++;
    this.lastLimit = limit;
    this.lastAddress = address;
    this.lastSession = session;
  }
}
