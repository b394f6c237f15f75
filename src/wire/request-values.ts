/**
 * Client requests as values, both directions, for clients, the load generator and tests. The grammar of every
 * record stands in requests.ts and multi.ts. Encoding accepts what a broken client could send (null paths, odd
 * flags), so that tests can; decoding throws MalformedRecord. Any thread, not for the data plane.
 */
import type { Zxid } from '../base/zxid.ts';
import { readAcl, type SentAcl, writeAcl } from './acl.ts';
import { type JuteReader, readText } from './jute-reader.ts';
import { type JuteWriter, writeString } from './jute-writer.ts';
import { OpCode } from './opcodes.ts';

type Op = typeof OpCode;

export interface EmptyRequest {
  readonly op: Op['ping'] | Op['whoAmI'] | Op['closeSession'];
}

export interface PathRequestValue {
  readonly op:
    | Op['sync']
    | Op['getAcl']
    | Op['getAllChildrenNumber']
    | Op['getEphemerals']
    | Op['deleteContainer'];
  readonly path: string | null;
}

type WatchableReadOp = Op['exists'] | Op['getData'] | Op['getChildren'] | Op['getChildren2'];

export interface PathWatchRequestValue<O extends WatchableReadOp = WatchableReadOp> {
  readonly op: O;
  readonly path: string | null;
  readonly watch: boolean;
}

export interface PathVersionRequestValue {
  readonly op: Op['delete'] | Op['check'];
  readonly path: string | null;
  readonly version: number;
}

export interface WatchModeRequestValue {
  readonly op: Op['addWatch'] | Op['checkWatches'] | Op['removeWatches'];
  readonly path: string | null;
  readonly mode: number;
}

export interface CreateRequestValue {
  readonly op: Op['create'] | Op['create2'] | Op['createContainer'];
  readonly path: string | null;
  readonly data: Uint8Array | null;
  readonly acl: readonly SentAcl[] | null;
  readonly flags: number;
}

export interface CreateTtlRequestValue {
  readonly op: Op['createTtl'];
  readonly path: string | null;
  readonly data: Uint8Array | null;
  readonly acl: readonly SentAcl[] | null;
  readonly flags: number;
  readonly ttl: number;
}

export interface SetDataRequestValue {
  readonly op: Op['setData'];
  readonly path: string | null;
  readonly data: Uint8Array | null;
  readonly version: number;
}

export interface SetAclRequestValue {
  readonly op: Op['setAcl'];
  readonly path: string | null;
  readonly acl: readonly SentAcl[] | null;
  readonly version: number;
}

export interface AuthRequestValue {
  readonly op: Op['auth'];
  readonly scheme: string | null;
  readonly auth: Uint8Array | null;
}

export interface SaslRequestValue {
  readonly op: Op['sasl'];
  readonly token: Uint8Array | null;
}

export interface SetWatchesRequestValue {
  readonly op: Op['setWatches'];
  readonly relativeZxid: Zxid;
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly child: readonly string[];
}

export interface SetWatches2RequestValue {
  readonly op: Op['setWatches2'];
  readonly relativeZxid: Zxid;
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly child: readonly string[];
  readonly persistent: readonly string[];
  readonly persistentRecursive: readonly string[];
}

export interface ReconfigRequestValue {
  readonly op: Op['reconfig'];
  readonly joining: string | null;
  readonly leaving: string | null;
  readonly members: string | null;
  readonly configId: number;
}

/** Never legal from a client; here because tests send it. */
export interface CreateSessionRequestValue {
  readonly op: Op['createSession'];
  readonly timeoutMs: number;
}

export type MultiSubRequest =
  | CreateRequestValue
  | CreateTtlRequestValue
  | PathVersionRequestValue
  | SetDataRequestValue
  | PathWatchRequestValue<Op['getData'] | Op['getChildren']>;

export interface MultiRequestValue {
  readonly op: Op['multi'] | Op['multiRead'];
  readonly subs: readonly MultiSubRequest[];
}

export type Request =
  | MultiSubRequest
  | EmptyRequest
  | PathRequestValue
  | PathWatchRequestValue
  | WatchModeRequestValue
  | SetAclRequestValue
  | AuthRequestValue
  | SaslRequestValue
  | SetWatchesRequestValue
  | SetWatches2RequestValue
  | ReconfigRequestValue
  | CreateSessionRequestValue
  | MultiRequestValue;

/** A whole frame: length prefix, header and record. */
export function writeRequestFrame(writer: JuteWriter, xid: number, request: Request): void {
  const frame = writer.beginBuffer();
  writer.writeInt(xid);
  writer.writeInt(request.op);
  writeRequest(writer, request);
  writer.endBuffer(frame);
}

/** The record alone. */
export function writeRequest(writer: JuteWriter, request: Request): void {
  switch (request.op) {
    case OpCode.ping:
    case OpCode.whoAmI:
    case OpCode.closeSession:
      return;
    case OpCode.createSession:
      writer.writeInt(request.timeoutMs);
      return;
    case OpCode.auth:
      writer.writeInt(0);
      writer.writeString(request.scheme);
      writer.writeBuffer(request.auth);
      return;
    case OpCode.sasl:
      writer.writeBuffer(request.token);
      return;
    case OpCode.setWatches:
    case OpCode.setWatches2:
      writeSetWatches(writer, request);
      return;
    case OpCode.reconfig:
      writer.writeString(request.joining);
      writer.writeString(request.leaving);
      writer.writeString(request.members);
      writer.writeLong(request.configId);
      return;
    case OpCode.multi:
    case OpCode.multiRead:
      writeMulti(writer, request.subs);
      return;
    default:
      writer.writeString(request.path);
      writeBehindPath(writer, request);
  }
}

/** @throws MalformedRecord also for an `op` that is no request. */
export function readRequest(reader: JuteReader, op: number): Request {
  switch (op) {
    case OpCode.ping:
    case OpCode.whoAmI:
    case OpCode.closeSession:
      return { op };
    case OpCode.createSession:
      return { op, timeoutMs: reader.readInt() };
    case OpCode.auth:
      reader.readInt();
      return { op, scheme: reader.readString(), auth: reader.readBuffer() };
    case OpCode.sasl:
      return { op, token: reader.readBuffer() };
    case OpCode.setWatches:
      return { op, ...readSetWatches(reader) };
    case OpCode.setWatches2:
      return {
        op,
        ...readSetWatches(reader),
        persistent: reader.readList(readText),
        persistentRecursive: reader.readList(readText),
      };
    case OpCode.reconfig:
      return {
        op,
        joining: reader.readString(),
        leaving: reader.readString(),
        members: reader.readString(),
        configId: reader.readLong(),
      };
    case OpCode.multi:
    case OpCode.multiRead:
      return { op, subs: readMulti(reader) };
    case OpCode.sync:
    case OpCode.getAcl:
    case OpCode.getAllChildrenNumber:
    case OpCode.getEphemerals:
    case OpCode.deleteContainer:
      return { op, path: reader.readString() };
    case OpCode.exists:
    case OpCode.getChildren2:
      return { op, path: reader.readString(), watch: reader.readBool() };
    case OpCode.addWatch:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return { op, path: reader.readString(), mode: reader.readInt() };
    case OpCode.setAcl:
      return {
        op,
        path: reader.readString(),
        acl: reader.readVector(readAcl),
        version: reader.readInt(),
      };
    default:
      return readSub(reader, op);
  }
}

type PathFirstRequest = Extract<Request, { readonly path: string | null }>;

function writeBehindPath(writer: JuteWriter, request: PathFirstRequest): void {
  switch (request.op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      writer.writeBuffer(request.data);
      writer.writeVector(request.acl, writeAcl);
      writer.writeInt(request.flags);
      if (request.op === OpCode.createTtl) writer.writeLong(request.ttl);
      return;
    case OpCode.setData:
      writer.writeBuffer(request.data);
      writer.writeInt(request.version);
      return;
    case OpCode.setAcl:
      writer.writeVector(request.acl, writeAcl);
      writer.writeInt(request.version);
      return;
    case OpCode.delete:
    case OpCode.check:
      writer.writeInt(request.version);
      return;
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
      writer.writeBool(request.watch);
      return;
    case OpCode.addWatch:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      writer.writeInt(request.mode);
      return;
    default:
      return;
  }
}

/** The requests that may stand in a multi or multiRead, and alone. */
function readSub(reader: JuteReader, op: number): MultiSubRequest {
  switch (op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return { op, ...readCreate(reader) };
    case OpCode.createTtl:
      return { op, ...readCreate(reader), ttl: reader.readLong() };
    case OpCode.delete:
    case OpCode.check:
      return { op, path: reader.readString(), version: reader.readInt() };
    case OpCode.setData:
      return { op, path: reader.readString(), data: reader.readBuffer(), version: reader.readInt() };
    case OpCode.getData:
    case OpCode.getChildren:
      return { op, path: reader.readString(), watch: reader.readBool() };
    default:
      return reader.fail(`the record of a known request, not of opcode ${op},`);
  }
}

function readCreate(reader: JuteReader): Omit<CreateRequestValue, 'op'> {
  return {
    path: reader.readString(),
    data: reader.readBuffer(),
    acl: reader.readVector(readAcl),
    flags: reader.readInt(),
  };
}

function writeSetWatches(
  writer: JuteWriter,
  request: SetWatchesRequestValue | SetWatches2RequestValue,
): void {
  writer.writeLong(request.relativeZxid);
  writer.writeVector(request.data, writeString);
  writer.writeVector(request.exist, writeString);
  writer.writeVector(request.child, writeString);
  if (request.op !== OpCode.setWatches2) return;
  writer.writeVector(request.persistent, writeString);
  writer.writeVector(request.persistentRecursive, writeString);
}

function readSetWatches(reader: JuteReader): Omit<SetWatchesRequestValue, 'op'> {
  return {
    relativeZxid: reader.readLong(),
    data: reader.readList(readText),
    exist: reader.readList(readText),
    child: reader.readList(readText),
  };
}

function writeMulti(writer: JuteWriter, subs: readonly MultiSubRequest[]): void {
  for (const sub of subs) {
    writeMultiHeaderValue(writer, sub.op, false, -1);
    writeRequest(writer, sub);
  }
  writeMultiHeaderValue(writer, -1, true, -1);
}

function readMulti(reader: JuteReader): MultiSubRequest[] {
  const subs: MultiSubRequest[] = [];
  for (;;) {
    const op = reader.readInt();
    const done = reader.readBool();
    reader.readInt();
    if (done) return subs;
    subs.push(readSub(reader, op));
  }
}

/** MultiHeader, shared with responses. */
export function writeMultiHeaderValue(writer: JuteWriter, type: number, done: boolean, err: number): void {
  writer.writeInt(type);
  writer.writeBool(done);
  writer.writeInt(err);
}
