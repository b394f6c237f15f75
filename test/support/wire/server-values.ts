/**
 * What a server sends, made from values: for fake servers and for what the decoders of clients are held against. The real
 * server writes its replies field by field (src/core/client/replier.ts) and needs none of this.
 */
import { assert } from '../../../src/base/assert.ts';
import { writeAcl } from '../../../src/wire/acl.ts';
import { type ConnectResponse, PASSWORD_BYTES } from '../../../src/wire/connect.ts';
import type { JuteReader } from '../../../src/wire/jute-reader.ts';
import { type JuteWriter, writeString } from '../../../src/wire/jute-writer.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { ReplyHeader } from '../../../src/wire/reply-header.ts';
import { writeMultiHeaderValue } from '../../../src/wire/request-values.ts';
import type { ClientInfo, MultiResult, Response } from '../../../src/wire/responses.ts';
import type { Stat, StatPersisted } from '../../../src/wire/stat.ts';
import type { WatchEvent } from '../../../src/wire/watch-event.ts';

/** The value form of `writeConnectResponse`, without the length prefix. */
export function writeConnectResponseValue(writer: JuteWriter, response: ConnectResponse): void {
  assert(response.password.length === PASSWORD_BYTES, 'a session password has 16 bytes');
  writer.writeInt(response.protocolVersion);
  writer.writeInt(response.timeoutMs);
  writer.writeBigLong(response.sessionId);
  writer.writeBuffer(response.password);
  if (response.readOnly !== null) writer.writeBool(response.readOnly);
}

interface RequestHeader {
  readonly xid: number;
  readonly op: number;
}

/** The header in front of a request. */
export function readRequestHeader(reader: JuteReader): RequestHeader {
  return { xid: reader.readInt(), op: reader.readInt() };
}

/** A whole frame: length prefix, header and body; `response` null for an error reply. */
export function writeReplyFrame(writer: JuteWriter, header: ReplyHeader, response: Response | null): void {
  const frame = writer.beginBuffer();
  writeReplyHeaderValue(writer, header);
  if (response !== null) writeResponse(writer, response);
  writer.endBuffer(frame);
}

/** The body alone. */
export function writeResponse(writer: JuteWriter, response: Response): void {
  switch (response.op) {
    case OpCode.create:
    case OpCode.sync:
      writer.writeString(response.path);
      return;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      writer.writeString(response.path);
      writeStat(writer, response.stat);
      return;
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setAcl:
      writeStat(writer, response.stat);
      return;
    case OpCode.getData:
    case OpCode.reconfig:
      writer.writeBuffer(response.data);
      writeStat(writer, response.stat);
      return;
    case OpCode.getAcl:
      writer.writeVector(response.acl, writeAcl);
      writeStat(writer, response.stat);
      return;
    case OpCode.getChildren:
      writer.writeVector(response.children, writeString);
      return;
    case OpCode.getChildren2:
      writer.writeVector(response.children, writeString);
      writeStat(writer, response.stat);
      return;
    case OpCode.addWatch:
      writer.writeInt(response.err);
      return;
    case OpCode.sasl:
      writer.writeBuffer(response.token);
      return;
    case OpCode.getEphemerals:
      writer.writeVector(response.paths, writeString);
      return;
    case OpCode.getAllChildrenNumber:
      writer.writeInt(response.count);
      return;
    case OpCode.whoAmI:
      writer.writeVector(response.clients, writeClientInfo);
      return;
    case OpCode.multi:
    case OpCode.multiRead:
      writeMultiResults(writer, response.results);
      return;
    default:
      return;
  }
}

function writeClientInfo(writer: JuteWriter, client: ClientInfo): void {
  writer.writeString(client.scheme);
  writer.writeString(client.user);
}

function writeMultiResults(writer: JuteWriter, results: readonly MultiResult[]): void {
  for (const result of results) {
    writeMultiHeaderValue(writer, result.op, false, result.op === OpCode.error ? result.err : 0);
    writeMultiResult(writer, result);
  }
  writeMultiHeaderValue(writer, -1, true, -1);
}

function writeMultiResult(writer: JuteWriter, result: MultiResult): void {
  if (result.op === OpCode.error) writer.writeInt(result.err);
  else if (result.op !== OpCode.check) writeResponse(writer, result);
}

/** The value form: the header alone, without the prefix. */
function writeReplyHeaderValue(writer: JuteWriter, header: ReplyHeader): void {
  writer.writeInt(header.xid);
  writer.writeLong(header.zxid);
  writer.writeInt(header.err);
}

export function writeWatchEventValue(writer: JuteWriter, event: WatchEvent): void {
  writer.writeInt(event.type);
  writer.writeInt(event.state);
  writer.writeString(event.path);
}

export function writeStat(writer: JuteWriter, stat: Stat): void {
  writeCommon(writer, stat);
  writer.writeInt(stat.dataLength);
  writer.writeInt(stat.numChildren);
  writer.writeLong(stat.pzxid);
}

export function readStatPersisted(reader: JuteReader): StatPersisted {
  return {
    czxid: reader.readLong(),
    mzxid: reader.readLong(),
    ctime: reader.readLong(),
    mtime: reader.readLong(),
    version: reader.readInt(),
    cversion: reader.readInt(),
    aversion: reader.readInt(),
    ephemeralOwner: reader.readBigLong(),
    pzxid: reader.readLong(),
  };
}

export function writeStatPersisted(writer: JuteWriter, stat: StatPersisted): void {
  writeCommon(writer, stat);
  writer.writeLong(stat.pzxid);
}

function writeCommon(writer: JuteWriter, stat: StatPersisted): void {
  writer.writeLong(stat.czxid);
  writer.writeLong(stat.mzxid);
  writer.writeLong(stat.ctime);
  writer.writeLong(stat.mtime);
  writer.writeInt(stat.version);
  writer.writeInt(stat.cversion);
  writer.writeInt(stat.aversion);
  writer.writeBigLong(stat.ephemeralOwner);
}
