/**
 * The file of a recorded workload. What the proxy saw, in the order in which it saw it; times never go back. All
 * integers are big endian.
 *
 *     file:    header | record | record | ... | end record
 *
 *     header:   0  "RKRECORD"
 *               8  u16 version | u16 flags (bit 0: credentials were kept)
 *              12  i64 start, ms since 1970
 *              20  u32 n | n bytes: the upstream servers, `host:port,host:port`, UTF-8
 *          24 + n  u32 CRC-32 of all bytes before
 *
 *     record:   0  u32 n = bytes of the body | u32 CRC-32 of the body
 *               8  body:  0  u16 kind | u16 detail | u32 connection
 *                         8  i64 time, us since the start, on a monotonic clock
 *                        16  the rest, by kind
 *
 *     kind          detail                           rest
 *     1 opened      upstream index, 65535 = none     -
 *     2 closed      1 client, 2 server, 3 proxy      -
 *     3 word        0                                the four letters; such a connection has no frames
 *     4 request     0                                the whole frame with its length; the first is the ConnectRequest
 *     5 connected   0                                i64 session | i32 timeout in ms (<= 0: refused)
 *     6 reply       0                                i32 xid | i64 zxid | i32 err | u32 frame bytes | names
 *     7 note        0                                UTF-8: why nothing more is recorded of the connection
 *     8 end         0                                i64 records before this one
 *
 *     names:    u32 count | { u32 n | n bytes UTF-8 } ...    the znodes of sequential creates; absent when there are none
 *
 * A record counts only when it is whole and its sum is right, so a file that was cut anywhere is good up to its last
 * whole record; without its end record it is known to be cut. Connections are numbered from 1. The err of a
 * failed multi is the reason inside its body; xid -1 is a watch event. A recording is as confidential as what the
 * clients wrote, which is all in it; credentials.ts says what becomes of passwords.
 */

import { crc32 } from '../../src/base/checksum.ts';
import { ConfigFailure } from '../../src/base/failure.ts';
import { FRAME_BYTES_SANE_MAX } from '../../src/wire/limits.ts';

export const RECORDING_VERSION = 1;
/** Longer frames mean that the stream is not ZooKeeper's. */
export const FRAME_BYTES_MAX = FRAME_BYTES_SANE_MAX;
export const NO_UPSTREAM = 0xffff;

const MAGIC = 'RKRECORD';
const FLAG_CREDENTIALS = 1;
const HEADER_FIXED_BYTES = 24;
const UPSTREAM_BYTES_MAX = 1024 * 1024;

export interface RecordingHeader {
  readonly version: number;
  readonly credentialsKept: boolean;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** `host:port` each. */
  readonly upstreams: readonly string[];
}

export type ClosedBy = 'client' | 'server' | 'proxy';

interface RecordHead {
  readonly connection: number;
  /** Microseconds since the start of the recording. */
  readonly timeUs: number;
}

export interface OpenedRecord extends RecordHead {
  readonly kind: 'opened';
  /** Index into the header's list; null: no server could be reached. */
  readonly upstream: number | null;
}

export interface ClosedRecord extends RecordHead {
  readonly kind: 'closed';
  /** The side that ended first. */
  readonly by: ClosedBy;
}

export interface WordRecord extends RecordHead {
  readonly kind: 'word';
  readonly word: string;
}

export interface RequestRecord extends RecordHead {
  readonly kind: 'request';
  /** With its length prefix. */
  readonly frame: Uint8Array;
}

export interface ConnectedRecord extends RecordHead {
  readonly kind: 'connected';
  /** An alias, unless credentials were kept (credentials.ts). */
  readonly sessionId: bigint;
  /** 0 or less: the session was refused. */
  readonly timeoutMs: number;
}

export interface ReplyRecord extends RecordHead {
  readonly kind: 'reply';
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  /** With its length prefix. */
  readonly frameBytes: number;
  /** What the sequential creates of the request were named, in their order. */
  readonly names: readonly string[];
}

export interface NoteRecord extends RecordHead {
  readonly kind: 'note';
  readonly text: string;
}

export interface EndRecord extends RecordHead {
  readonly kind: 'end';
  readonly records: number;
}

export type RecordingRecord =
  | OpenedRecord
  | ClosedRecord
  | WordRecord
  | RequestRecord
  | ConnectedRecord
  | ReplyRecord
  | NoteRecord
  | EndRecord;

export function encodeHeader(header: RecordingHeader): Uint8Array {
  const upstreams = Buffer.from(header.upstreams.join(','), 'utf8');
  const bytes = Buffer.alloc(HEADER_FIXED_BYTES + upstreams.length + 4);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt16BE(header.version, 8);
  bytes.writeUInt16BE(header.credentialsKept ? FLAG_CREDENTIALS : 0, 10);
  bytes.writeBigInt64BE(BigInt(header.startedAtMs), 12);
  bytes.writeUInt32BE(upstreams.length, 20);
  bytes.set(upstreams, HEADER_FIXED_BYTES);
  const summed = bytes.length - 4;
  bytes.writeUInt32BE(crc32(bytes, 0, summed), summed);
  return bytes;
}

/**
 * The header at the beginning of `bytes` and the offset behind it; null when more bytes are needed.
 * @throws ConfigFailure when `file` is no recording, of another version, or damaged.
 */
export function decodeHeader(
  bytes: Buffer,
  file: string,
): { readonly header: RecordingHeader; readonly end: number } | null {
  const magic = bytes.subarray(0, MAGIC.length).toString('latin1');
  if (!MAGIC.startsWith(magic)) {
    throw new ConfigFailure(`${file}: not a recording - make one with "ringkeeper bench record"`);
  }
  if (bytes.length < HEADER_FIXED_BYTES) return null;
  const version = bytes.readUInt16BE(8);
  if (version !== RECORDING_VERSION) {
    throw new ConfigFailure(
      `${file}: recording format ${version} - this version reads format ${RECORDING_VERSION}; ` +
        'replay it with the version that wrote it, or record anew',
    );
  }
  const length = bytes.readUInt32BE(20);
  const summed = HEADER_FIXED_BYTES + length;
  if (length > UPSTREAM_BYTES_MAX) throw damagedHeader(file);
  if (bytes.length < summed + 4) return null;
  if (bytes.readUInt32BE(summed) !== crc32(bytes, 0, summed)) throw damagedHeader(file);
  const text = bytes.subarray(HEADER_FIXED_BYTES, summed).toString('utf8');
  return {
    header: {
      version,
      credentialsKept: (bytes.readUInt16BE(10) & FLAG_CREDENTIALS) !== 0,
      startedAtMs: Number(bytes.readBigInt64BE(12)),
      upstreams: text === '' ? [] : text.split(','),
    },
    end: summed + 4,
  };
}

export function damagedHeader(file: string): ConfigFailure {
  return new ConfigFailure(`${file}: the header of the recording is cut or damaged - record anew`);
}
