/** Records of a recording to bytes and back. The layout stands in recording-format.ts. */
import { crc32 } from '../../src/base/checksum.ts';
import { readInt64, writeInt64 } from '../../src/base/int64.ts';
import {
  type ClosedBy,
  type ClosedRecord,
  FRAME_BYTES_MAX,
  NO_UPSTREAM,
  type RecordingRecord,
} from './recording-format.ts';

const PREFIX_BYTES = 8;
const HEAD_BYTES = 16;
const CONNECTED_BYTES = 12;
const REPLY_BYTES = 20;
const WORD_BYTES = 4;
/** A request with the longest frame, or the reply to a multi of as many sequential creates as fit one. */
const BODY_BYTES_MAX = 2 * FRAME_BYTES_MAX;

type RecordKind = RecordingRecord['kind'];

const KIND_CODES: Readonly<Record<RecordKind, number>> = {
  opened: 1,
  closed: 2,
  word: 3,
  request: 4,
  connected: 5,
  reply: 6,
  note: 7,
  end: 8,
};
const KINDS = new Map(Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as RecordKind]));
const CLOSED_BY: readonly (ClosedBy | undefined)[] = [undefined, 'client', 'server', 'proxy'];

/** Bytes of the whole record in the file. */
export function recordBytes(record: RecordingRecord): number {
  return PREFIX_BYTES + HEAD_BYTES + fieldBytes(record);
}

/** Writes the whole record, of `length = recordBytes(record)` bytes, at `offset`. */
export function encodeRecord(
  record: RecordingRecord,
  bytes: Buffer,
  view: DataView,
  offset: number,
  length: number,
): void {
  const body = offset + PREFIX_BYTES;
  view.setUint32(offset, length - PREFIX_BYTES);
  view.setUint16(body, KIND_CODES[record.kind]);
  view.setUint16(body + 2, detailOf(record));
  view.setUint32(body + 4, record.connection);
  writeInt64(view, body + 8, record.timeUs);
  encodeFields(record, bytes, view, body + HEAD_BYTES);
  view.setUint32(offset + 4, crc32(bytes, body, offset + length));
}

export type Decoded =
  | { readonly state: 'record'; readonly record: RecordingRecord; readonly end: number }
  /** The bytes end inside the record. */
  | { readonly state: 'partial' }
  | { readonly state: 'damaged'; readonly why: string };

const PARTIAL: Decoded = { state: 'partial' };

/** The record at `offset`. Frames are slices of `bytes`, not copies. */
export function decodeRecord(bytes: Buffer, view: DataView, offset: number): Decoded {
  const have = bytes.length - offset;
  if (have < PREFIX_BYTES) return PARTIAL;
  const length = view.getUint32(offset);
  if (length < HEAD_BYTES || length > BODY_BYTES_MAX) return damaged('an impossible length');
  if (have < PREFIX_BYTES + length) return PARTIAL;
  const body = offset + PREFIX_BYTES;
  const end = body + length;
  if (view.getUint32(offset + 4) !== crc32(bytes, body, end)) return damaged('a wrong checksum');
  const kind = KINDS.get(view.getUint16(body));
  if (kind === undefined) return damaged('a record of unknown kind');
  const head = { connection: view.getUint32(body + 4), timeUs: readInt64(view, body + 8) };
  const record = decodeFields(kind, view.getUint16(body + 2), head, bytes.subarray(body + HEAD_BYTES, end));
  return record === null ? damaged(`a malformed ${kind} record`) : { state: 'record', record, end };
}

function damaged(why: string): Decoded {
  return { state: 'damaged', why };
}

function detailOf(record: RecordingRecord): number {
  if (record.kind === 'opened') return record.upstream ?? NO_UPSTREAM;
  return record.kind === 'closed' ? CLOSED_BY.indexOf(record.by) : 0;
}

function fieldBytes(record: RecordingRecord): number {
  switch (record.kind) {
    case 'opened':
    case 'closed':
      return 0;
    case 'word':
      return WORD_BYTES;
    case 'request':
      return record.frame.length;
    case 'connected':
      return CONNECTED_BYTES;
    case 'reply':
      return REPLY_BYTES + namesBytes(record.names);
    case 'note':
      return Buffer.byteLength(record.text);
    case 'end':
      return 8;
  }
}

function namesBytes(names: readonly string[]): number {
  if (names.length === 0) return 0;
  return names.reduce((sum, name) => sum + 4 + Buffer.byteLength(name), 4);
}

function encodeFields(record: RecordingRecord, bytes: Buffer, view: DataView, at: number): void {
  switch (record.kind) {
    case 'word':
      bytes.write(record.word, at, 'latin1');
      return;
    case 'request':
      bytes.set(record.frame, at);
      return;
    case 'connected':
      view.setBigInt64(at, record.sessionId);
      view.setInt32(at + 8, record.timeoutMs);
      return;
    case 'reply':
      view.setInt32(at, record.xid);
      writeInt64(view, at + 4, record.zxid);
      view.setInt32(at + 12, record.err);
      view.setUint32(at + 16, record.frameBytes);
      if (record.names.length > 0) encodeNames(record.names, bytes, view, at + REPLY_BYTES);
      return;
    case 'note':
      bytes.write(record.text, at, 'utf8');
      return;
    case 'end':
      writeInt64(view, at, record.records);
      return;
    default:
      return;
  }
}

function encodeNames(names: readonly string[], bytes: Buffer, view: DataView, at: number): void {
  view.setUint32(at, names.length);
  at += 4;
  for (const name of names) {
    const length = bytes.write(name, at + 4, 'utf8');
    view.setUint32(at, length);
    at += 4 + length;
  }
}

interface RecordHead {
  readonly connection: number;
  readonly timeUs: number;
}

/** Null when the fields cannot be those of such a record. */
function decodeFields(
  kind: RecordKind,
  detail: number,
  head: RecordHead,
  fields: Buffer,
): RecordingRecord | null {
  switch (kind) {
    case 'opened':
      return { ...head, kind, upstream: detail === NO_UPSTREAM ? null : detail };
    case 'closed':
      return decodeClosed(detail, head);
    case 'word':
      return fields.length === WORD_BYTES ? { ...head, kind, word: fields.toString('latin1') } : null;
    case 'request':
      return isFrame(fields) ? { ...head, kind, frame: fields } : null;
    case 'connected':
      if (fields.length !== CONNECTED_BYTES) return null;
      return { ...head, kind, sessionId: fields.readBigInt64BE(0), timeoutMs: fields.readInt32BE(8) };
    case 'reply':
      return decodeReply(head, fields);
    case 'note':
      return { ...head, kind, text: fields.toString('utf8') };
    case 'end':
      return fields.length === 8 ? { ...head, kind, records: Number(fields.readBigInt64BE(0)) } : null;
  }
}

function decodeClosed(detail: number, head: RecordHead): ClosedRecord | null {
  const by = CLOSED_BY[detail];
  return by === undefined ? null : { ...head, kind: 'closed', by };
}

/** Holds at least a length and a request header. */
function isFrame(fields: Buffer): boolean {
  return fields.length >= 12 && fields.readInt32BE(0) === fields.length - 4;
}

function decodeReply(head: RecordHead, fields: Buffer): RecordingRecord | null {
  if (fields.length < REPLY_BYTES) return null;
  const names = decodeNames(fields);
  if (names === null) return null;
  return {
    ...head,
    kind: 'reply',
    xid: fields.readInt32BE(0),
    zxid: Number(fields.readBigInt64BE(4)),
    err: fields.readInt32BE(12),
    frameBytes: fields.readUInt32BE(16),
    names,
  };
}

const NO_NAMES: readonly string[] = [];

function decodeNames(fields: Buffer): readonly string[] | null {
  if (fields.length === REPLY_BYTES) return NO_NAMES;
  if (fields.length < REPLY_BYTES + 4) return null;
  const count = fields.readUInt32BE(REPLY_BYTES);
  if (count > fields.length / 4) return null;
  const names: string[] = [];
  let at = REPLY_BYTES + 4;
  for (let i = 0; i < count; i++) {
    if (fields.length - at < 4) return null;
    const length = fields.readUInt32BE(at);
    at += 4;
    if (length > fields.length - at) return null;
    names.push(fields.toString('utf8', at, at + length));
    at += length;
  }
  return at === fields.length ? names : null;
}
