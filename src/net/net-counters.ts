/** What happened to one io thread's connections since start; plain numbers, read by the io agent of that thread. */
export interface NetCounters {
  accepted: number;
  /** Closed at accept: a limit was reached. */
  refused: number;
  /** Closed for a frame length below 0 or above the limit. */
  malformed: number;
  /** Closed for having opened no session in time. */
  sessionless: number;
  /** Closed because replies piled up beyond the hard limit, or stood still while the connection was closing. */
  slow: number;
  /** Closed because all connections together left too much unread, and this one the most. */
  greedy: number;
  open: number;
}

export function createNetCounters(): NetCounters {
  return { accepted: 0, refused: 0, malformed: 0, sessionless: 0, slow: 0, greedy: 0, open: 0 };
}
