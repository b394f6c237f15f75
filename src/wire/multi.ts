/**
 * multi and multiRead as flyweights for the core; their value forms are in request-values.ts and responses.ts.
 *
 *     MultiHeader:  i32 type | bool done | i32 err (-1 in requests, ignored)             = 9 bytes
 *     request:      { MultiHeader{op, false, -1} | request record of op } ...
 *                   | MultiHeader{-1, true, -1}        the first header with `done` ends it, whatever its type
 *     response:     { MultiHeader{type, false, err} | result record } ... | MultiHeader{-1, true, -1}
 *
 * `wrap` refuses, for the request as a whole: an unknown or misplaced sub operation, a truncated body, and a null
 * path. What a single sub operation may do wrong beyond that (create flags that no mode has, a null ACL vector) is
 * the core's business, sub by sub, as in Apache 3.8.
 */
import { Flyweight } from './flyweight.ts';
import { CreateFlags, OpCode } from './opcodes.ts';
import { CreateRequest, PathVersionRequest, PathWatchRequest, SetDataRequest } from './requests.ts';

export const MULTI_HEADER_BYTES = 9;

/** For the data plane: returns the offset behind the header. */
export function writeMultiHeader(
  view: DataView,
  offset: number,
  type: number,
  done: boolean,
  err: number,
): number {
  view.setInt32(offset, type);
  view.setUint8(offset + 4, done ? 1 : 0);
  view.setInt32(offset + 5, err);
  return offset + MULTI_HEADER_BYTES;
}

/**
 * Walks a request: `wrap` validates all of it and counts, then each `next()` decodes one sub operation into the
 * flyweight that fits its `op`.
 *
 *     create, create2, createContainer, createTtl -> create       delete, check        -> pathVersion
 *     setData                                     -> setData      getData, getChildren -> pathWatch
 */
export class MultiRequest extends Flyweight {
  /** Sub operations in the request. */
  count = 0;
  /** Sub operations not yet visited. */
  remaining = 0;
  /** Of the current sub operation; flags 4 under create or create2 read as createContainer. */
  op = 0;
  readonly create = new CreateRequest();
  readonly pathVersion = new PathVersionRequest();
  readonly setData = new SetDataRequest();
  readonly pathWatch = new PathWatchRequest();
  private start = 0;
  private offset = 0;
  private before = 0;
  private end = 0;

  /** A multi: writes and checks. */
  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    return this.wrapSubs(bytes, view, start, end, false);
  }

  /** A multiRead: reads. */
  wrapRead(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    return this.wrapSubs(bytes, view, start, end, true);
  }

  /** False at the end. */
  next(): boolean {
    if (this.remaining === 0) return false;
    this.remaining--;
    this.before = this.offset;
    return this.step();
  }

  /** The sub operation of the last `next` comes once more. */
  stepBack(): void {
    this.remaining++;
    this.offset = this.before;
  }

  /** Begins again at the first sub operation. */
  rewind(): void {
    this.remaining = this.count;
    this.offset = this.start;
  }

  private wrapSubs(bytes: Uint8Array, view: DataView, start: number, end: number, reads: boolean): boolean {
    this.attach(bytes, view);
    this.start = start;
    this.offset = start;
    this.end = end;
    this.count = 0;
    while (end - this.offset >= MULTI_HEADER_BYTES) {
      if (view.getUint8(this.offset + 4) !== 0) {
        this.recordEnd = this.offset + MULTI_HEADER_BYTES;
        this.rewind();
        return true;
      }
      if (!this.step() || isReadSub(this.op) !== reads) return false;
      this.count++;
    }
    return false;
  }

  /** Decodes the sub operation at `offset` and moves behind it. */
  private step(): boolean {
    this.op = this.view.getInt32(this.offset);
    const start = this.offset + MULTI_HEADER_BYTES;
    const end = this.end;
    switch (this.op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
        if (!this.create.wrap(this.bytes, this.view, start, end)) return false;
        return this.acceptCreate();
      case OpCode.createTtl:
        if (!this.create.wrapTtl(this.bytes, this.view, start, end)) return false;
        return this.acceptCreate();
      case OpCode.delete:
      case OpCode.check:
        if (!this.pathVersion.wrap(this.bytes, this.view, start, end)) return false;
        this.offset = this.pathVersion.recordEnd;
        return this.pathVersion.pathLength >= 0;
      case OpCode.setData:
        if (!this.setData.wrap(this.bytes, this.view, start, end)) return false;
        this.offset = this.setData.recordEnd;
        return this.setData.pathLength >= 0;
      case OpCode.getData:
      case OpCode.getChildren:
        if (!this.pathWatch.wrap(this.bytes, this.view, start, end)) return false;
        this.offset = this.pathWatch.recordEnd;
        return this.pathWatch.pathLength >= 0;
      default:
        return false;
    }
  }

  private acceptCreate(): boolean {
    const { flags, pathLength, recordEnd } = this.create;
    if (flags === CreateFlags.container && this.op !== OpCode.createTtl) this.op = OpCode.createContainer;
    this.offset = recordEnd;
    return pathLength >= 0;
  }
}

function isReadSub(op: number): boolean {
  return op === OpCode.getData || op === OpCode.getChildren;
}
