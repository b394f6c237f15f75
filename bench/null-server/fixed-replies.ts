/**
 * What the null server answers: for each opcode a well-formed reply that does not depend on anything the server
 * would have to remember. Paths are echoed where the protocol has one; stats are zeros; lists are empty.
 *
 *     reply:  i32 length | i32 xid | i64 zxid 0 | i32 err | body (src/wire/responses.ts)
 *
 * The frequent ones are whole frames made beforehand, of which only the xid is patched.
 */
import { OPEN_ACL, writeAcl } from '../../src/wire/acl.ts';
import { PASSWORD_BYTES, writeConnectResponse } from '../../src/wire/connect.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { MULTI_HEADER_BYTES, MultiRequest, writeMultiHeader } from '../../src/wire/multi.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { REPLY_HEADER_FRAME_BYTES, writeReplyHeader } from '../../src/wire/reply-header.ts';
import { STAT_BYTES } from '../../src/wire/stat.ts';
import type { ReplyOutput } from './reply-output.ts';
import type { RequestSplitter } from './request-splitter.ts';

/** Of a request: behind `i32 xid | i32 op`. */
const RECORD = 8;
const XID_AT = 4;
/** Of a connect request: `i32 protocolVersion | i64 lastZxidSeen | i32 timeOut | i64 sessionId`. */
const CONNECT_TIMEOUT = 12;
const CONNECT_SESSION = 16;
const CONNECT_BYTES_MIN = 24;
const CONNECT_RESPONSE_BYTES = 41;
const SESSION_TIMEOUT_MS = 30_000;
const NO_PASSWORD = new Uint8Array(PASSWORD_BYTES);
const NO_STAT = Buffer.alloc(STAT_BYTES);
const NO_LIST = int32(0);

export class FixedReplies {
  private readonly data: Buffer;
  private readonly dataFrame: Buffer;
  private readonly statFrame = frameOf(NO_STAT);
  private readonly emptyFrame = frameOf(Buffer.alloc(0));
  private readonly unknownFrame = frameOf(Buffer.alloc(0), ErrorCode.unimplemented);
  private readonly malformedFrame = frameOf(Buffer.alloc(0), ErrorCode.marshallingError);
  /** Bodies with a number or a list in front, by opcode. */
  private readonly otherFrames: ReadonlyMap<number, Buffer>;
  private readonly multi = new MultiRequest();
  private nextSessionId = 1;

  /** `valueBytes`: size of the value that every get finds. */
  constructor(valueBytes: number) {
    this.data = Buffer.concat([int32(valueBytes), Buffer.alloc(valueBytes, 'v'), NO_STAT]);
    this.dataFrame = frameOf(this.data);
    const list = frameOf(NO_LIST);
    this.otherFrames = new Map([
      [OpCode.getChildren, list],
      [OpCode.getChildren2, frameOf(Buffer.concat([NO_LIST, NO_STAT]))],
      [OpCode.getAcl, frameOf(Buffer.concat([openAcl(), NO_STAT]))],
      [OpCode.getEphemerals, list],
      [OpCode.whoAmI, list],
      [OpCode.getAllChildrenNumber, frameOf(int32(0))],
      [OpCode.addWatch, frameOf(int32(0))],
      [OpCode.delete, this.emptyFrame],
      [OpCode.deleteContainer, this.emptyFrame],
      [OpCode.check, this.emptyFrame],
      [OpCode.ping, this.emptyFrame],
      [OpCode.auth, this.emptyFrame],
      [OpCode.setWatches, this.emptyFrame],
      [OpCode.setWatches2, this.emptyFrame],
      [OpCode.checkWatches, this.emptyFrame],
      [OpCode.removeWatches, this.emptyFrame],
      [OpCode.closeSession, this.emptyFrame],
    ]);
  }

  /** The session asked for, or a new one; false when the frame is no connect request. */
  greet({ view, start, end }: RequestSplitter, output: ReplyOutput): boolean {
    if (end - start < CONNECT_BYTES_MIN) return false;
    const asked = view.getInt32(start + CONNECT_TIMEOUT);
    const high = view.getInt32(start + CONNECT_SESSION);
    const low = view.getInt32(start + CONNECT_SESSION + 4);
    const isNew = high === 0 && low === 0;
    const at = output.claim(CONNECT_RESPONSE_BYTES);
    writeConnectResponse(
      output.bytes,
      output.view,
      at,
      asked > 0 ? asked : SESSION_TIMEOUT_MS,
      high,
      isNew ? this.nextSessionId++ : low,
      NO_PASSWORD,
      0,
      true,
      false,
    );
    return true;
  }

  /** The reply to the splitter's frame, which holds at least a request header. */
  answer(request: RequestSplitter, xid: number, op: number, output: ReplyOutput): void {
    switch (op) {
      case OpCode.getData:
        copyFrame(this.dataFrame, xid, output);
        return;
      case OpCode.setData:
      case OpCode.exists:
      case OpCode.setAcl:
        copyFrame(this.statFrame, xid, output);
        return;
      case OpCode.create:
      case OpCode.sync:
        this.echoPath(request, xid, 0, output);
        return;
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        this.echoPath(request, xid, STAT_BYTES, output);
        return;
      case OpCode.multi:
      case OpCode.multiRead:
        this.answerMulti(request, xid, op, output);
        return;
      default:
        copyFrame(this.otherFrames.get(op) ?? this.unknownFrame, xid, output);
    }
  }

  /** `ustring path`, then `zeros` bytes of Stat. */
  private echoPath(
    { bytes, view, start, end }: RequestSplitter,
    xid: number,
    zeros: number,
    output: ReplyOutput,
  ): void {
    const pathAt = start + RECORD;
    const pathBytes = pathAt + 4 <= end ? Math.max(0, view.getInt32(pathAt)) : end;
    if (pathAt + 4 + pathBytes > end) {
      copyFrame(this.malformedFrame, xid, output);
      return;
    }
    const bodyBytes = 4 + pathBytes + zeros;
    const at = output.claim(REPLY_HEADER_FRAME_BYTES + bodyBytes);
    const body = writeReplyHeader(output.view, at, bodyBytes, xid, 0, ErrorCode.ok);
    bytes.copy(output.bytes, body, pathAt, pathAt + 4 + pathBytes);
    output.bytes.fill(0, body + 4 + pathBytes, body + bodyBytes);
  }

  private answerMulti(request: RequestSplitter, xid: number, op: number, output: ReplyOutput): void {
    const { bytes, view, start, end } = request;
    const { multi } = this;
    const wellFormed =
      op === OpCode.multi
        ? multi.wrap(bytes, view, start + RECORD, end)
        : multi.wrapRead(bytes, view, start + RECORD, end);
    if (!wellFormed) {
      copyFrame(this.malformedFrame, xid, output);
      return;
    }
    let bodyBytes = MULTI_HEADER_BYTES;
    while (multi.next()) bodyBytes += MULTI_HEADER_BYTES + this.resultBytes();
    multi.rewind();
    const at = output.claim(REPLY_HEADER_FRAME_BYTES + bodyBytes);
    let to = writeReplyHeader(output.view, at, bodyBytes, xid, 0, ErrorCode.ok);
    while (multi.next()) to = this.writeResult(output, to);
    writeMultiHeader(output.view, to, -1, true, -1);
  }

  private resultBytes(): number {
    const { multi } = this;
    switch (multi.op) {
      case OpCode.create:
        return 4 + multi.create.pathLength;
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return 4 + multi.create.pathLength + STAT_BYTES;
      case OpCode.setData:
        return STAT_BYTES;
      case OpCode.getData:
        return this.data.length;
      case OpCode.getChildren:
        return NO_LIST.length;
      default:
        return 0;
    }
  }

  /** Header and result of the current sub operation; returns the offset behind them. */
  private writeResult(output: ReplyOutput, at: number): number {
    const { multi } = this;
    const { create } = multi;
    const isCreate = multi.op === OpCode.create;
    const withStat = !isCreate && isCreateOp(multi.op);
    const to = writeMultiHeader(output.view, at, withStat ? OpCode.create2 : multi.op, false, ErrorCode.ok);
    const end = to + this.resultBytes();
    if (isCreate || withStat) {
      output.bytes.set(create.bytes.subarray(create.pathStart - 4, create.pathStart + create.pathLength), to);
      if (withStat) output.bytes.set(NO_STAT, end - STAT_BYTES);
    } else if (multi.op === OpCode.setData) output.bytes.set(NO_STAT, to);
    else if (multi.op === OpCode.getData) output.bytes.set(this.data, to);
    else if (multi.op === OpCode.getChildren) output.bytes.set(NO_LIST, to);
    return end;
  }
}

function isCreateOp(op: number): boolean {
  return op === OpCode.create2 || op === OpCode.createContainer || op === OpCode.createTtl;
}

function copyFrame(frame: Buffer, xid: number, output: ReplyOutput): void {
  const at = output.claim(frame.length);
  output.bytes.set(frame, at);
  output.view.setInt32(at + XID_AT, xid);
}

function frameOf(body: Buffer, err: number = ErrorCode.ok): Buffer {
  const head = Buffer.alloc(REPLY_HEADER_FRAME_BYTES);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  writeReplyHeader(view, 0, body.length, 0, 0, err);
  return Buffer.concat([head, body]);
}

function openAcl(): Uint8Array {
  const writer = new JuteWriter();
  writer.writeVector(OPEN_ACL, writeAcl);
  return writer.toBytes();
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
