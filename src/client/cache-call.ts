/**
 * One read of a cache on its way. It has no promise: the reply is handed on in the turn in which it arrives, so that a cache
 * takes replies and events in the order of the wire.
 */

import type { Request } from '../wire/request-values.ts';
import type { CacheRead } from './cache/read-queue.ts';
import { Call } from './call.ts';

export interface CacheReplies {
  /** The body is `bytes[start, end)` and valid during the call only. */
  onBody(read: CacheRead, bytes: Uint8Array, view: DataView, start: number, end: number): void;
  onError(read: CacheRead, err: number): void;
  onLost(read: CacheRead): void;
}

/** A request record without its path, from above. */
const FIXED_BYTES = 32;

export class CacheCall extends Call {
  private readonly read: CacheRead;
  private readonly replies: CacheReplies;

  constructor(read: CacheRead, request: Request, replies: CacheReplies) {
    super(request, null, read.path.length * 3 + FIXED_BYTES);
    this.read = read;
    this.replies = replies;
  }

  onReply(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.replies.onBody(this.read, bytes, view, start, end);
  }

  onRefused(err: number): void {
    this.replies.onError(this.read, err);
  }

  onFailed(): void {
    this.replies.onLost(this.read);
  }
}
