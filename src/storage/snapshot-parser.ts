/**
 * The contents of a snapshot from bytes that come in pieces: it takes what is whole, and stops, without loss, where bytes are
 * missing. The file reader feeds it from a file (snapshot-reader.ts), a learner from its leader's socket (SNAP).
 *
 *     file     header | sessions | acls | nodes "/" | seal | [digest | seal] | [lastZxid 8 | seal]
 *     stream            sessions | acls | nodes "/" | "BenWasHere"                what follows is not ours
 *
 * Each step needs a piece in one stretch (a session, an ACL, a node) and consumes it or nothing: memory is bounded by the
 * largest piece, whose length is checked before bytes are waited for. The sink may refuse by throwing.
 */
import { adler32 } from '../base/checksum.ts';
import { CorruptionFailure } from '../base/failure.ts';
import { readInt64 } from '../base/int64.ts';
import type { ByteWindow } from './byte-window.ts';
import {
  DIGEST_SECTION_BYTES,
  DIGEST_VERSION,
  END_STRING_BYTES,
  isEndString,
  NODE_TAIL_BYTES,
  SEAL_BYTES,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_MAGIC,
} from './snapshot-format.ts';

/** Sanity bounds, checked before memory is spent. */
const PATH_BYTES_MAX = 16 * 1024 * 1024;
export const DATA_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
const ACL_BYTES_MAX = 16 * 1024 * 1024;
const SESSION_BYTES = 12;
const LAST_ZXID_BYTES = 8;

/** Behind a tree that goes through a socket, as a string. */
export const SIGNATURE = 'BenWasHere';
const SIGNATURE_BYTES = 4 + SIGNATURE.length;

export interface SnapshotContentSink {
  onSession(idHigh: number, idLow: number, timeoutMs: number): void;
  /** `bytes[start, end)` is the vector<ACL> with its count. All ranges are valid during the call only. */
  onAcl(aclId: number, bytes: Uint8Array, view: DataView, start: number, end: number): void;
  /** `dataLength` -1 = null; StatPersisted lies at `statStart`. Parents come before children, the root is "". */
  onNode(
    bytes: Uint8Array,
    view: DataView,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): void;
  onDigest(zxid: number, version: number, high: number, low: number): void;
}

export type SnapshotFormat = 'file' | 'stream';

const State = {
  header: 0,
  sessionCount: 1,
  sessions: 2,
  aclCount: 3,
  acls: 4,
  nodes: 5,
  seal: 6,
  digest: 7,
  digestSeal: 8,
  lastZxid: 9,
  lastSeal: 10,
  signature: 11,
  done: 12,
} as const;
type State = (typeof State)[keyof typeof State];

export class SnapshotParser {
  private readonly window: ByteWindow;
  private readonly name: string;
  private readonly sink: SnapshotContentSink;
  private readonly format: SnapshotFormat;
  private readonly dataBytesMax: number;
  private state: State;
  /** Sessions or ACLs to come. */
  private left = 0;
  private checksum = 1;
  /** Where the nodes end, in the contents; -1 before that is known. */
  bodyEnd = -1;

  /** `name`: of the file or the peer, for error messages. */
  constructor(
    window: ByteWindow,
    name: string,
    format: SnapshotFormat,
    sink: SnapshotContentSink,
    dataBytesMax = DATA_BYTES_MAX_DEFAULT,
  ) {
    this.window = window;
    this.name = name;
    this.format = format;
    this.sink = sink;
    this.dataBytesMax = dataBytesMax;
    this.state = format === 'file' ? State.header : State.sessionCount;
  }

  /** Takes what is there; true when the contents are complete. @throws CorruptionFailure */
  advance(): boolean {
    while (this.state !== State.done) if (!this.step()) return false;
    return true;
  }

  /** No bytes follow: were they all? An older server's file has no digest or no last zxid. @throws CorruptionFailure */
  end(): void {
    const mayEnd = this.state === State.digest || this.state === State.lastZxid || this.state === State.done;
    if (!mayEnd || this.window.ensure(1)) throw this.corrupt('the data ends too early');
  }

  /** False: more bytes are needed. */
  private step(): boolean {
    switch (this.state) {
      case State.header:
        return this.header();
      case State.sessionCount:
        return this.count('session', State.sessions);
      case State.sessions:
        return this.left > 0 ? this.session() : this.go(State.aclCount);
      case State.aclCount:
        return this.count('ACL', State.acls);
      case State.acls:
        return this.left > 0 ? this.acl() : this.go(State.nodes);
      case State.nodes:
        return this.node();
      case State.seal:
        return this.seal(State.digest);
      case State.digest:
        return this.digestSection();
      case State.digestSeal:
        return this.seal(State.lastZxid);
      case State.lastZxid:
        // Of 3.9: the file's name tells it already.
        return this.window.ensure(LAST_ZXID_BYTES) && this.take(LAST_ZXID_BYTES, State.lastSeal);
      case State.lastSeal:
        return this.seal(State.done);
      default:
        return this.signature();
    }
  }

  private header(): boolean {
    const { window } = this;
    if (!window.ensure(SNAPSHOT_HEADER_BYTES)) return false;
    if (window.view.getInt32(window.start) !== SNAPSHOT_MAGIC) {
      throw this.corrupt('the magic number is not "ZKSN"');
    }
    return this.take(SNAPSHOT_HEADER_BYTES, State.sessionCount);
  }

  private count(what: string, next: State): boolean {
    const { window } = this;
    if (!window.ensure(4)) return false;
    this.left = window.view.getInt32(window.start);
    if (this.left < 0) throw this.corrupt(`${what} count ${this.left}`);
    return this.take(4, next);
  }

  private session(): boolean {
    const { window } = this;
    if (!window.ensure(SESSION_BYTES)) return false;
    const { view, start } = window;
    this.sink.onSession(view.getInt32(start), view.getInt32(start + 4), view.getInt32(start + 8));
    this.left--;
    return this.take(SESSION_BYTES, State.sessions);
  }

  private acl(): boolean {
    const { window } = this;
    const length = this.aclVectorBytes();
    if (length < 0) return false;
    const { bytes, view, start } = window;
    this.sink.onAcl(this.aclId(start), bytes, view, start + 8, start + 8 + length);
    this.left--;
    return this.take(8 + length, State.acls);
  }

  /** Bytes of the vector<ACL> behind the id at `start`, all of them loaded; -1 when some are missing. */
  private aclVectorBytes(): number {
    const { window } = this;
    if (!window.ensure(12)) return -1;
    const count = window.view.getInt32(window.start + 8);
    let length = 4;
    // Of an entry the permissions, then scheme and id.
    for (let i = 0; i < count; i++) {
      length += 4;
      for (let string = 0; string < 2; string++) {
        if (!window.ensure(8 + length + 4)) return -1;
        const stringBytes = Math.max(0, window.view.getInt32(window.start + 8 + length));
        if (stringBytes > ACL_BYTES_MAX) throw this.corrupt(`unreasonable length ${stringBytes} in an ACL`);
        length += 4 + stringBytes;
        if (length > ACL_BYTES_MAX) throw this.corrupt('an ACL is unreasonably long');
      }
    }
    return window.ensure(8 + length) ? length : -1;
  }

  /** One node, or the end of the nodes. */
  private node(): boolean {
    const window = this.window;
    if (!window.ensure(4)) return false;
    const pathLength = window.view.getInt32(window.start);
    if (pathLength < 0 || pathLength > PATH_BYTES_MAX) throw this.corrupt(`path length ${pathLength}`);
    if (!window.ensure(4 + pathLength)) return false;
    if (isEndString(window.bytes, window.start + 4, pathLength)) {
      this.bodyEnd = window.offset + END_STRING_BYTES;
      return this.take(END_STRING_BYTES, this.format === 'file' ? State.seal : State.signature);
    }
    const dataOffset = 4 + pathLength + 4;
    if (!window.ensure(dataOffset)) return false;
    const dataLength = window.view.getInt32(window.start + dataOffset - 4);
    if (dataLength < -1 || dataLength > this.dataBytesMax) throw this.corrupt(`data length ${dataLength}`);
    const tailOffset = dataOffset + Math.max(0, dataLength);
    if (!window.ensure(tailOffset + NODE_TAIL_BYTES)) return false;
    const { bytes, view, start } = window;
    const tail = start + tailOffset;
    const aclId = this.aclId(tail);
    // biome-ignore format: one slice per line
    this.sink.onNode(bytes, view,
      start + 4, pathLength,
      start + dataOffset, dataLength,
      aclId, tail + 8);
    return this.take(tailOffset + NODE_TAIL_BYTES, State.nodes);
  }

  private digestSection(): boolean {
    const { window } = this;
    if (!window.ensure(16)) return false;
    const version = window.view.getInt32(window.start + 8);
    if (version < DIGEST_VERSION) {
      const length = Math.max(0, window.view.getInt32(window.start + 12));
      if (length > PATH_BYTES_MAX) throw this.corrupt(`digest length ${length}`);
      return window.ensure(16 + length) && this.take(16 + length, State.digestSeal);
    }
    if (!window.ensure(DIGEST_SECTION_BYTES)) return false;
    const { view, start } = window;
    const zxid = readInt64(view, start);
    this.sink.onDigest(zxid, version, view.getInt32(start + 12), view.getInt32(start + 16));
    return this.take(DIGEST_SECTION_BYTES, State.digestSeal);
  }

  private seal(next: State): boolean {
    const { window } = this;
    if (!window.ensure(SEAL_BYTES)) return false;
    const { bytes, view, start } = window;
    if (view.getInt32(start) !== 0 || view.getUint32(start + 4) !== this.checksum) {
      throw this.corrupt('CRC check failed');
    }
    if (view.getInt32(start + 8) !== 1 || !isEndString(bytes, start + 12, 1)) {
      throw this.corrupt('a seal has no end mark');
    }
    return this.take(SEAL_BYTES, next);
  }

  private signature(): boolean {
    const { window } = this;
    if (!window.ensure(SIGNATURE_BYTES)) return false;
    let isRight = window.view.getInt32(window.start) === SIGNATURE.length;
    for (let i = 0; i < SIGNATURE.length; i++) {
      isRight &&= window.bytes[window.start + 4 + i] === SIGNATURE.charCodeAt(i);
    }
    if (!isRight) throw this.corrupt(`the signature is not "${SIGNATURE}"`);
    return this.take(SIGNATURE_BYTES, State.done);
  }

  private aclId(at: number): number {
    const aclId = readInt64(this.window.view, at);
    if (!Number.isSafeInteger(aclId)) throw this.corrupt('an ACL id is out of range');
    return aclId;
  }

  /** Consumes and sums what has been read. */
  private take(length: number, next: State): true {
    const { bytes, start } = this.window;
    if (this.format === 'file') this.checksum = adler32(bytes, start, start + length, this.checksum);
    this.window.start = start + length;
    this.state = next;
    return true;
  }

  private go(next: State): true {
    this.state = next;
    return true;
  }

  private corrupt(reason: string): CorruptionFailure {
    const at = `offset ${this.window.offset} of its contents`;
    return new CorruptionFailure(`${this.name} is corrupt at ${at}: ${reason}`);
  }
}
