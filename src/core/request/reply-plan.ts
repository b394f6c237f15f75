/**
 * What a reply about many znodes is made of, noted at one moment and written out later: numbers, and the records whose
 * name, path or body goes in between. Noting costs some nanoseconds a znode; measuring and copying can be cut into
 * slices (large-reply.ts), as long as an epoch keeps the records. Core thread.
 *
 *     getChildren   count │ name … name                               (and a Stat behind them)
 *     multiRead     header │ body     header │ count │ name …     error │ code     …     end
 */
import { copyBytes } from '../../wire/copy-bytes.ts';
import { MULTI_HEADER_BYTES, writeMultiHeader } from '../../wire/multi.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { BodyBuffer } from '../client/replier.ts';
import { grownBytes, grownInts } from '../collections/columns.ts';
import type { ZnodeCursor } from '../tree/record.ts';

/** The value of an item: a number for the wire, or the offset of a record. */
const Item = { count: 0, header: 1, error: 2, end: 3, name: 4, path: 5, body: 6, list: 7 } as const;

const CAPACITY_START = 256;
/** One unit of work: an item, and so many bytes of it. */
const BYTES_PER_UNIT = 128;
const SLASH = 47;

export class ReplyPlan {
  length = 0;
  /** Bytes of all bodies, and how many names and paths: what is known before measuring. */
  bodyBytes = 0;
  nodes = 0;
  /** It would grow too long: the reply is an error. */
  isRefused = false;
  /** Of `nodes`, those in lists that have not been noted name by name. */
  private listed = 0;
  private kinds = new Uint8Array(CAPACITY_START);
  private values = new Int32Array(CAPACITY_START);

  refuse(): void {
    this.isRefused = true;
  }

  clear(): void {
    this.length = 0;
    this.bodyBytes = 0;
    this.nodes = 0;
    this.listed = 0;
    if (this.kinds.length <= 16 * CAPACITY_START) return;
    this.kinds = new Uint8Array(CAPACITY_START);
    this.values = new Int32Array(CAPACITY_START);
  }

  count(value: number): void {
    this.add(Item.count, value);
  }

  /** The last count becomes known only now: `at` is `length` when it was noted. */
  setCount(at: number, value: number): void {
    this.values[at] = value;
  }

  header(op: number): void {
    this.add(Item.header, op);
  }

  error(code: number): void {
    this.add(Item.error, code);
  }

  end(): void {
    this.add(Item.end, 0);
  }

  name(record: number): void {
    this.nodes++;
    this.add(Item.name, record);
  }

  /** All children of a node, `count` of them: to be noted as a count and names before it is measured or written. */
  list(parentId: number, count: number): void {
    this.nodes += count;
    this.listed += count;
    this.add(Item.list, parentId);
  }

  /** The parent whose list the item stands for, or 0. */
  parentAt(at: number): number {
    return this.kinds[at] === Item.list ? this.values[at]! : 0;
  }

  /** An item of another plan, no list. */
  copy(from: ReplyPlan, at: number): void {
    this.add(from.kinds[at]!, from.values[at]!);
  }

  path(record: number): void {
    this.nodes++;
    this.add(Item.path, record);
  }

  body(record: number, bytes: number): void {
    this.bodyBytes += bytes;
    this.add(Item.body, record);
  }

  /** Units of work to write it out, before names are measured. */
  get work(): number {
    return this.length + this.listed + this.bodyBytes / BYTES_PER_UNIT;
  }

  /** Bytes that an item takes. */
  bytesOf(at: number, node: ZnodeCursor): number {
    switch (this.kinds[at]) {
      case Item.count:
        return 4;
      case Item.header:
      case Item.end:
        return MULTI_HEADER_BYTES;
      case Item.error:
        return MULTI_HEADER_BYTES + 4;
      case Item.name:
        node.moveTo(this.values[at]!);
        return 4 + nameLength(node);
      case Item.path:
        node.moveTo(this.values[at]!);
        return 4 + node.pathLength;
      default:
        node.moveTo(this.values[at]!);
        return node.bodyLength;
    }
  }

  /** Appends an item; returns the units of work. */
  write(at: number, node: ZnodeCursor, body: BodyBuffer): number {
    const value = this.values[at]!;
    switch (this.kinds[at]) {
      case Item.count:
        body.int32(value);
        return 1;
      case Item.header:
        multiHeader(body, value, false, 0);
        return 1;
      case Item.error:
        multiHeader(body, OpCode.error, false, value);
        body.int32(value);
        return 1;
      case Item.end:
        multiHeader(body, OpCode.error, true, -1);
        return 1;
      case Item.name:
        node.moveTo(value);
        appendName(body, node);
        return 1;
      case Item.path:
        node.moveTo(value);
        body.string(node.bytes, node.pathStart, node.pathLength);
        return 1 + node.pathLength / BYTES_PER_UNIT;
      default:
        node.moveTo(value);
        body.raw(node.bytes, node.bodyStart, node.bodyLength);
        return 1 + node.bodyLength / BYTES_PER_UNIT;
    }
  }

  private add(kind: number, value: number): void {
    if (this.length === this.kinds.length) {
      this.kinds = grownBytes(this.kinds, this.length * 2);
      this.values = grownInts(this.values, this.length * 2);
    }
    this.kinds[this.length] = kind;
    this.values[this.length++] = value;
  }
}

function multiHeader(body: BodyBuffer, type: number, done: boolean, err: number): void {
  const at = body.extend(MULTI_HEADER_BYTES);
  writeMultiHeader(body.view, at, type, done, err);
}

function nameLength(node: ZnodeCursor): number {
  const { bytes, pathStart, pathLength } = node;
  let from = pathStart + pathLength;
  while (bytes[from - 1] !== SLASH) from--;
  return pathStart + pathLength - from;
}

/** `int32 length | name`, as a vector of names has it. */
export function appendName(body: BodyBuffer, node: ZnodeCursor): void {
  const length = nameLength(node);
  const at = body.extend(4 + length);
  body.view.setInt32(at, length);
  copyBytes(node.bytes, node.pathStart + node.pathLength - length, length, body.bytes, at + 4);
}
