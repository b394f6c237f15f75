/**
 * Turns the bytes of one proxied connection into records. It only reads what has been passed on already, and whatever
 * it meets, the bytes pass on: a stream that is not ZooKeeper's ends the recording of the connection with a note.
 *
 *     undecided --four letters of a word--> word           nothing more to record
 *         |----- anything else ------------> frames --not frames--> off
 *
 * Both directions come from one event loop, so records are in the order of arrival, and a reply always comes behind
 * its request. Requests and ordinary replies are counted, because the n-th reply answers the n-th request: that tells
 * which replies hold names that the server chose.
 */

import { ConnectRequestView, readConnectResponse } from '../../src/wire/connect.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { fourLetterName } from '../../src/wire/four-letter.ts';
import { type FrameHandler, FrameSplitter, FrameStatus } from '../../src/wire/framing.ts';
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { FRAME_PREFIX_BYTES } from '../../src/wire/limits.ts';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import type { CredentialGuard } from './credentials.ts';
import { Fifo } from './fifo.ts';
import { type ClosedBy, FRAME_BYTES_MAX, type RecordingRecord } from './recording-format.ts';
import { type ReplyHandler, ReplyStream } from './reply-stream.ts';
import {
  hasOwnXid,
  int32At,
  namesInReply,
  opOf,
  RECORD_AT,
  replyError,
  type SequentialCreates,
  sequentialCreates,
  xidOf,
} from './request-facts.ts';

/** What is recorded, over all connections. */
export interface RecordingCounts {
  requests: number;
  replies: number;
  /** Watch events. */
  events: number;
  words: number;
  /** Connections whose recording ended early, because their bytes made no sense. */
  malformed: number;
}

export interface RecordingLog {
  readonly guard: CredentialGuard;
  readonly counts: RecordingCounts;
  append(record: RecordingRecord): void;
}

const TLS_HANDSHAKE = 0x1603;
const connectRequest = new ConnectRequestView();

/** A request whose reply must be looked into. */
interface Expected {
  /** Among the requests of the connection that share the order of replies. */
  readonly ordinal: number;
  readonly op: number;
  readonly creates: SequentialCreates | null;
}

type State = 'undecided' | 'frames' | 'word' | 'off';

export class ConnectionRecorder implements FrameHandler, ReplyHandler {
  private readonly log: RecordingLog;
  private readonly connection: number;
  private readonly requests = new FrameSplitter(FRAME_BYTES_MAX, this);
  private readonly replies = new ReplyStream(this);
  private readonly expected = new Fifo<Expected>();
  private state: State = 'undecided';
  private firstBytes: Uint8Array = new Uint8Array(0);
  private connectSeen = false;
  private requestCount = 0;
  private replyCount = 0;
  private nowUs = 0;

  constructor(log: RecordingLog, connection: number) {
    this.log = log;
    this.connection = connection;
  }

  opened(upstream: number | null, timeUs: number): void {
    this.log.append({ kind: 'opened', connection: this.connection, timeUs, upstream });
  }

  closed(by: ClosedBy, timeUs: number): void {
    this.log.append({ kind: 'closed', connection: this.connection, timeUs, by });
  }

  onClientBytes(chunk: Uint8Array, timeUs: number): void {
    this.nowUs = timeUs;
    if (this.state === 'undecided') this.decide(chunk);
    else if (this.state === 'frames') this.cut(chunk);
  }

  onServerBytes(chunk: Uint8Array, timeUs: number): void {
    if (this.state !== 'frames') return;
    this.nowUs = timeUs;
    this.replies.push(chunk);
    if (this.replies.malformed) this.giveUp('the replies are no ZooKeeper frames');
  }

  /** From the splitter: a request, or the ConnectRequest. The length stands right in front of it. */
  onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const frame = bytes.subarray(start - FRAME_PREFIX_BYTES, end);
    if (this.connectSeen && frame.length >= RECORD_AT) this.onRequest(frame);
    else if (!this.connectSeen && connectRequest.wrap(bytes, view, start, end)) this.onConnectRequest(frame);
    else this.giveUp(`a request of ${frame.length} bytes that is none`);
    return this.state === 'frames';
  }

  onGreeting(payload: Uint8Array): void {
    let answer: { readonly sessionId: bigint; readonly timeoutMs: number };
    try {
      answer = readConnectResponse(new JuteReader(payload));
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error;
      this.giveUp('the server answered with something else than a session');
      return;
    }
    const sessionId = this.log.guard.sessionAlias(answer.sessionId);
    this.append({ kind: 'connected', sessionId, timeoutMs: answer.timeoutMs });
  }

  wantsBody(xid: number, err: number): boolean {
    const answersNext = xid !== SpecialXid.notification && !hasOwnXid(xid);
    return answersNext && err === ErrorCode.ok && this.expected.peek()?.ordinal === this.replyCount;
  }

  onReply(xid: number, zxid: number, err: number, frameBytes: number, body: Uint8Array | null): void {
    let names: readonly string[] = [];
    if (xid === SpecialXid.notification) {
      this.log.counts.events++;
    } else {
      this.log.counts.replies++;
      if (!hasOwnXid(xid)) {
        const expected = this.expected.peek();
        if (expected?.ordinal === this.replyCount++) {
          this.expected.shift();
          err = replyError(expected.op, err, body);
          if (err === ErrorCode.ok && expected.creates !== null && body !== null)
            names = namesInReply(expected.op, expected.creates, body);
        }
      }
    }
    this.append({ kind: 'reply', xid, zxid, err, frameBytes, names });
  }

  /** The first four bytes are a command, or the length of the ConnectRequest. */
  private decide(chunk: Uint8Array): void {
    const bytes = this.firstBytes.length === 0 ? chunk : Buffer.concat([this.firstBytes, chunk]);
    if (bytes.length < FRAME_PREFIX_BYTES) {
      this.firstBytes = Uint8Array.from(bytes);
      return;
    }
    this.firstBytes = new Uint8Array(0);
    const first = int32At(bytes, 0);
    if (fourLetterName(first) !== undefined) {
      this.state = 'word';
      this.log.counts.words++;
      this.append({
        kind: 'word',
        word: Buffer.from(bytes.subarray(0, FRAME_PREFIX_BYTES)).toString('latin1'),
      });
    } else if (first >>> 16 === TLS_HANDSHAKE) {
      this.giveUp('the client speaks TLS, and only plain connections can be recorded');
    } else {
      this.state = 'frames';
      this.cut(bytes);
    }
  }

  private cut(bytes: Uint8Array): void {
    if (this.requests.push(bytes) === FrameStatus.tooLong)
      this.giveUp('the requests are no ZooKeeper frames');
  }

  private onConnectRequest(frame: Uint8Array): void {
    this.connectSeen = true;
    this.append({ kind: 'request', frame: this.log.guard.connectRequest(frame) });
  }

  private onRequest(frame: Uint8Array): void {
    const op = opOf(frame);
    if (!hasOwnXid(xidOf(frame))) {
      const creates = sequentialCreates(op, frame);
      if (creates !== null || op === OpCode.multi) {
        this.expected.push({ ordinal: this.requestCount, op, creates });
      }
      this.requestCount++;
    }
    this.log.counts.requests++;
    this.append({ kind: 'request', frame: this.log.guard.request(frame) });
  }

  private giveUp(text: string): void {
    if (this.state === 'off') return;
    this.state = 'off';
    this.replies.stop();
    this.log.counts.malformed++;
    this.append({ kind: 'note', text });
  }

  private append(record: Unplaced): void {
    this.log.append({ ...record, connection: this.connection, timeUs: this.nowUs } as RecordingRecord);
  }
}

/** A record without its place: connection and time are the recorder's. */
type Unplaced = RecordingRecord extends infer R
  ? R extends RecordingRecord
    ? Omit<R, 'connection' | 'timeUs'>
    : never
  : never;
