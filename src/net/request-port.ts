/**
 * What a connection reports upwards: the io side's view of whoever answers requests. Two implementations live in
 * `server/io`: one calls the core directly, one writes a request ring. All calls come from the io thread, in the
 * order in which the bytes arrived, and none of them may wait.
 */
export interface RequestPort {
  /** A socket was accepted; `address` is textual, IPv4 without the mapped prefix. */
  onConnect(conn: number, address: string, port: number): void;
  /**
   * One frame's payload; the bytes are valid only during the call. False = no room now: the connection keeps the
   * frame and offers it again after `ConnectionTable.continueStopped`. A refusal answers nothing synchronously.
   */
  onFrame(conn: number, bytes: Uint8Array, view: DataView, start: number, end: number): boolean;
  /** The socket is gone; called exactly once per `onConnect`. The slot stays taken until `release`. */
  onDisconnect(conn: number): void;
  /** `word` is four ASCII bytes as a big-endian int32; `argument` only for `stmk`. */
  onFourLetterWord(conn: number, word: number, argument: bigint | null): void;
  /** All complete frames of one chunk have been offered: publish them. */
  onChunkEnd(): void;
}

/** Told whenever reply bytes have left a connection's backlog, by reaching the kernel or by being dropped. */
export interface BacklogObserver {
  onSettled(slot: number, bytes: number): void;
}
