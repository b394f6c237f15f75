/**
 * What the core asks of the world. The core calls these and goes on: nothing here waits, blocks or throws for
 * want of room. Two kinds of implementation exist: direct (same thread, plain calls) and ring (other thread,
 * shared memory); the core cannot tell which it has.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { EpochsHandle } from '../../shm/epochs.ts';
import type { WordAnswer } from './word-answer.ts';

/**
 * A connection as the core sees it: `io << CONN_IO_SHIFT | slot`. A slot is reused only after the core called
 * `release`, so a late reply can never reach a stranger.
 */
export type ConnId = number;
export const CONN_IO_SHIFT = 20;
export const CONN_SLOT_MASK = (1 << CONN_IO_SHIFT) - 1;

/** The largest piece of one `ReplySink.claim`; longer frames go out in several pieces. */
export const PIECE_BYTES_MAX = 64 * 1024;

/**
 * The way back to one io thread's connections. Bytes committed for a connection leave in order; pieces of a
 * frame are simply concatenated. `claim` always finds room (an io thread that falls behind makes `congested`
 * true and the core then stops taking requests and committing until it has caught up).
 */
export interface ReplySink {
  /** Where `claim` points into; both change with every claim. */
  bytes: Uint8Array;
  view: DataView;
  /** Room for at most `length` <= PIECE_BYTES_MAX bytes; returns the offset in `bytes`. One claim at a time. */
  claim(conn: ConnId, length: number): number;
  /** Sends the first `length` bytes of the last claim. `completesReply`: a request got its (whole) answer. */
  commit(length: number, completesReply: boolean): void;
  /** Bytes this connection may still queue before it counts as slow; <= 0: start no further read for it. */
  room(conn: ConnId): number;
  /** Close the socket once everything committed has been sent. */
  close(conn: ConnId): void;
  /** The core has forgotten this connection; its slot may be used again. */
  release(conn: ConnId): void;
  readonly congested: boolean;
  /** End of the core's turn: make everything committed visible to the io thread, one wake-up at most. */
  flush(): void;
}

/**
 * The transaction log. A claim holds one log record's payload (`TxnHeader + txn + TxnDigest`); the log thread
 * frames, checksums, writes and syncs it in zxid order.
 */
export interface LogPort {
  bytes: Uint8Array;
  view: DataView;
  /** The largest payload that may be claimed; absent: any. */
  readonly payloadBytesMax?: number;
  /** Room for a payload of at most `length` bytes; -1 = full now, ask again after the durable zxid has moved. */
  claim(length: number): number;
  commit(zxid: Zxid, length: number): void;
  /** Gives back the last claim unused. */
  abort(): void;
  /** End of turn: publish and wake the log thread if it sleeps. */
  flush(): void;
}

/** Everything a snapshot thread needs; plain values and shared buffers, so it can be posted to a worker. */
export interface SnapshotRequest {
  /** One element: what the snapshot is of. No plain number, see base/zxid.ts. */
  readonly zxid: Float64Array;
  /** Tree digest at `zxid`: `[high, low]`. */
  readonly digest: Uint32Array;
  /** `count × (int64 sessionId, int32 timeoutMs)` with the count in front: the jute bytes of the file. */
  readonly sessions: Uint8Array;
  /** `count × (int64 aclId, vector<ACL>)` with the count in front. */
  readonly acls: Uint8Array;
  readonly tree: TreeHandle;
}

/** The shared buffers of the znode store as they are at the moment a snapshot begins. */
export interface TreeHandle {
  readonly segments: readonly SharedArrayBuffer[];
  /** Per block of node ids: current record offsets, versions held for the snapshot, and visited marks. */
  readonly slotBlocks: readonly SharedArrayBuffer[];
  readonly heldBlocks: readonly SharedArrayBuffer[];
  readonly visitedBlocks: readonly SharedArrayBuffer[];
  readonly nodeIdEnd: number;
  /** Records stamped with this generation or a later one were published after the snapshot began. */
  readonly generation: number;
  readonly epochs: EpochsHandle;
}

/** Answers the four-letter words: text about the whole server, so not the core's to know. */
export interface AdminPort {
  /** `word` as in `CorePort.onFourLetterWord`. */
  answer(word: number, argument: bigint | null): WordAnswer;
}

/** Hashes that the language lacks. */
export interface CryptoPort {
  /** SHA-1 (or the configured digest algorithm) of `bytes`, base64. */
  digestBase64(bytes: Uint8Array): string;
}
