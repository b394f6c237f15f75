/**
 * One connection of the null server: a four-letter word, or a session.
 *
 *     fresh --word--> answered, closed
 *       '--ConnectRequest--> session --requests--> session --closeSession--> closed
 */
import type { Socket } from 'node:net';
import { writeNow } from '../../src/net/write-now.ts';
import { fourLetterName } from '../../src/wire/four-letter.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { DelayQueue } from './delay-queue.ts';
import type { FixedReplies } from './fixed-replies.ts';
import { type PacketCounts, wordAnswer } from './packet-counts.ts';
import { ReplyOutput } from './reply-output.ts';
import { RequestSplitter } from './request-splitter.ts';

const HEADER_BYTES = 8;
const WORD_BYTES = 4;
/** A client that does not read its replies is not read from beyond this many bytes of them. */
const UNSENT_BYTES_MAX = 16 * 1024 * 1024;

export class NullConnection {
  private readonly socket: Socket;
  private readonly replies: FixedReplies;
  private readonly counts: PacketCounts;
  /** Null: answers at once. */
  private readonly delays: DelayQueue | null;
  private readonly splitter = new RequestSplitter();
  private readonly output: ReplyOutput;
  private greeted = false;
  private arrivedMs = 0;
  private heldBytes = 0;

  constructor(socket: Socket, replies: FixedReplies, counts: PacketCounts, delays: DelayQueue | null) {
    this.socket = socket;
    this.replies = replies;
    this.counts = counts;
    this.delays = delays;
    this.output = new ReplyOutput((bytes, release) => this.deliver(bytes, release));
    counts.connections++;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => counts.connections--);
    socket.on('data', (chunk: Buffer) => this.onChunk(chunk));
    socket.on('drain', () => this.resume());
  }

  private onChunk(chunk: Buffer): void {
    if (!this.greeted && this.answerWord(chunk)) return;
    if (this.delays !== null) this.arrivedMs = performance.now();
    const { splitter, output } = this;
    let received = 0;
    let closing = false;
    splitter.begin(chunk);
    while (splitter.next()) {
      received++;
      if (!this.greeted) this.greeted = this.replies.greet(splitter, output) || this.refuse();
      else if (splitter.end - splitter.start < HEADER_BYTES) this.refuse();
      else {
        const op = splitter.view.getInt32(splitter.start + 4);
        this.replies.answer(splitter, splitter.view.getInt32(splitter.start), op, output);
        closing ||= op === OpCode.closeSession;
      }
    }
    this.counts.received += received;
    this.counts.sent += received;
    if (splitter.malformed) this.refuse();
    output.send();
    if (closing) this.afterDelay(() => this.socket.end());
    if (this.unsentBytes > UNSENT_BYTES_MAX) this.socket.pause();
  }

  /** A word comes alone and whole: clients send nothing before its answer. */
  private answerWord(chunk: Buffer): boolean {
    const name = chunk.length < WORD_BYTES ? undefined : fourLetterName(chunk.readInt32BE(0));
    if (name === undefined) return false;
    this.socket.end(wordAnswer(name, this.counts));
    return true;
  }

  private refuse(): boolean {
    this.socket.destroy();
    return true;
  }

  private deliver(bytes: Uint8Array, release: () => void): void {
    this.heldBytes += bytes.length;
    this.afterDelay(() => {
      this.heldBytes -= bytes.length;
      this.write(bytes, release);
      this.resume();
    });
  }

  private write(bytes: Uint8Array, release: () => void): void {
    const { socket } = this;
    const sent = socket.writableLength === 0 ? writeNow(socket, bytes, bytes.length) : 0;
    if (sent < bytes.length && socket.writable) socket.write(bytes.subarray(sent), release);
    else release();
  }

  private afterDelay(run: () => void): void {
    if (this.delays === null) run();
    else this.delays.add(this.arrivedMs, run);
  }

  private get unsentBytes(): number {
    return this.heldBytes + this.socket.writableLength;
  }

  private resume(): void {
    if (this.socket.isPaused() && this.unsentBytes <= UNSENT_BYTES_MAX / 2) this.socket.resume();
  }
}
