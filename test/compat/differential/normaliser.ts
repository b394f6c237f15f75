/**
 * Turns what one server sent into plain values that can be compared with what another sent: session ids become
 * names in the order of their creation, clock times become a verdict, unordered lists are sorted, and what cannot be
 * decoded stays as hex. zxids stay numbers: both servers start empty and see the same requests, so they must agree.
 * One per server and run.
 */
import { OpCode } from '../../../src/wire/opcodes.ts';
import { JuteReader } from '../../support/jute.ts';
import type { ConnectAnswer } from '../../support/raw-client.ts';
import type { Request } from './step.ts';

export interface NormalEvent {
  readonly event: number;
  readonly state: number;
  readonly path: string | null;
  readonly zxid: number;
}

export interface NormalReply {
  readonly op: number;
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  readonly body: unknown;
}

export type NormalFrame = NormalEvent | NormalReply;

export interface NormalStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly times: string;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly owner: string;
  readonly dataLength: number;
  readonly childCount: number;
  readonly pzxid: number;
}

const CLOCK_TOLERANCE_MS = 600_000;

export class Normaliser {
  /** The highest zxid of any reply so far. */
  zxidMax = 0;
  private readonly sessions = new Map<bigint, string>();

  sessionName(id: bigint): string {
    if (id === 0n) return 'none';
    return this.sessions.get(id) ?? `0x${BigInt.asUintN(64, id).toString(16)}`;
  }

  connect(answer: ConnectAnswer, fresh: boolean): Readonly<Record<string, unknown>> {
    if (fresh && answer.sessionId !== 0n)
      this.sessions.set(answer.sessionId, `session-${this.sessions.size + 1}`);
    return {
      timeoutMs: answer.timeoutMs,
      session: this.sessionName(answer.sessionId),
      passwordBytes: answer.password.length,
      passwordIsZero: answer.password.every((byte) => byte === 0),
      readOnly: answer.readOnly,
    };
  }

  /** `requests` are those the frame may answer. */
  frame(payload: Uint8Array, requests: readonly Request[]): NormalFrame {
    const reader = new JuteReader(payload);
    const xid = reader.int();
    const zxid = Number(reader.long());
    const err = reader.int();
    const request = requests.find((candidate) => candidate.xid === xid);
    if (xid === -1 && request === undefined) {
      return { event: reader.int(), state: reader.int(), path: text(reader), zxid };
    }
    if (zxid > this.zxidMax) this.zxidMax = zxid;
    return { op: request?.op ?? OpCode.ping, xid, zxid, err, body: this.body(request?.op, reader) };
  }

  /** Replaces session ids in text (four-letter words) by their names. */
  text(value: string): string {
    return value.replace(/0x[0-9a-f]{9,16}/g, (hex) => this.sessionName(BigInt.asIntN(64, BigInt(hex))));
  }

  private body(op: number | undefined, reader: JuteReader): unknown {
    if (reader.remaining === 0) return undefined;
    const rest = Buffer.from(reader.bytes.subarray(reader.bytes.length - reader.remaining)).toString('hex');
    try {
      const value = this.decode(op, reader);
      return reader.remaining === 0 ? value : { value, trailingBytes: reader.remaining, rest };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { undecodable: rest };
    }
  }

  private decode(op: number | undefined, reader: JuteReader): unknown {
    switch (op) {
      case OpCode.create:
        return { path: reader.string() };
      case OpCode.sync:
        return { path: text(reader) };
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return { path: reader.string(), stat: this.stat(reader) };
      case OpCode.exists:
      case OpCode.setData:
      case OpCode.setAcl:
        return { stat: this.stat(reader) };
      case OpCode.getData:
      case OpCode.reconfig:
        return { data: hex(reader.buffer()), stat: this.stat(reader) };
      case OpCode.getAcl:
        return { acls: acls(reader), stat: this.stat(reader) };
      case OpCode.getChildren:
      case OpCode.getEphemerals:
        return { names: reader.strings().sort() };
      case OpCode.getChildren2:
        return { names: reader.strings().sort(), stat: this.stat(reader) };
      case OpCode.multi:
      case OpCode.multiRead:
        return this.multi(reader);
      case OpCode.getAllChildrenNumber:
      case OpCode.addWatch:
        return { number: reader.int() };
      case OpCode.whoAmI:
        return { ids: clientInfos(reader) };
      case OpCode.sasl:
        return { token: hex(reader.buffer()) };
      default:
        throw new RangeError('no body expected');
    }
  }

  private multi(reader: JuteReader): unknown[] {
    const results: unknown[] = [];
    for (;;) {
      const type = reader.int();
      const done = reader.bool();
      const err = reader.int();
      if (done) return [...results, { type, err, done }];
      if (type === -1) results.push({ type, err, code: reader.int() });
      else if (type === OpCode.delete || type === OpCode.check) results.push({ type, err });
      else results.push({ type, err, result: this.decode(type, reader) });
    }
  }

  private stat(reader: JuteReader): NormalStat {
    const czxid = Number(reader.long());
    const mzxid = Number(reader.long());
    const ctime = Number(reader.long());
    const mtime = Number(reader.long());
    const version = reader.int();
    const cversion = reader.int();
    const aversion = reader.int();
    const owner = this.sessionName(reader.long());
    const dataLength = reader.int();
    const childCount = reader.int();
    const pzxid = Number(reader.long());
    const times = timesVerdict(ctime, mtime, version);
    return { czxid, mzxid, times, version, cversion, aversion, owner, dataLength, childCount, pzxid };
  }
}

/** The two servers' clocks cannot agree to the millisecond, so each is held to the rules on its own. */
function timesVerdict(ctime: number, mtime: number, version: number): string {
  if (ctime === 0) return mtime === 0 ? 'never' : version > 0 ? 'modified only' : 'modified at version 0';
  if (Math.abs(Date.now() - ctime) > CLOCK_TOLERANCE_MS) return `ctime ${ctime} is far from now`;
  if (mtime < ctime) return 'mtime before ctime';
  return version === 0 && mtime !== ctime ? 'mtime differs at version 0' : 'sound';
}

function acls(reader: JuteReader): string[] {
  const count = reader.int();
  const entries: string[] = [];
  for (let i = 0; i < count; i++) entries.push(`${reader.int()} ${reader.string()}:${reader.string()}`);
  return entries;
}

/** The baseline keeps a connection's ids in a hash set: their order means nothing. */
function clientInfos(reader: JuteReader): string[] {
  const count = reader.int();
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(`${reader.string()}:${reader.string()}`);
  return ids.sort();
}

/**
 * A path that need not be one of a znode. The baseline writes a character beyond U+FFFF as two surrogates of three
 * bytes each (`supplementary-characters`): put together again here.
 */
function text(reader: JuteReader): string | null {
  const bytes = reader.buffer();
  if (bytes === null) return null;
  const latin1 = Buffer.from(bytes).toString('latin1');
  const joined = latin1.replace(/\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf])/g, (pair) => {
    const [high, low] = [0, 3].map(
      (at) => ((pair.charCodeAt(at + 1) & 0x3f) << 6) | (pair.charCodeAt(at + 2) & 0x3f),
    );
    return Buffer.from(String.fromCharCode(0xd000 | high!, 0xd000 | low!), 'utf8').toString('latin1');
  });
  return Buffer.from(joined, 'latin1').toString('utf8');
}

/** The text of an ensemble's configuration; two of them on one machine have other ports. */
const MEMBERS_BYTES_MAX = 4096;
const MEMBERS = /^server\.\d+=/;

function hex(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const text = Buffer.from(bytes.subarray(0, MEMBERS_BYTES_MAX)).toString('latin1');
  return MEMBERS.test(text) ? text.replace(/:\d+/g, ':port') : Buffer.from(bytes).toString('hex');
}
