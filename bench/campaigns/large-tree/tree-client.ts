/**
 * One pipelined session for the large-tree campaign: creates znodes by the hundred thousand, reads one huge reply,
 * pings meanwhile. Replies are only skimmed for their error. Raw frames, because of what is measured: the first byte of a
 * reply of megabytes, round trips of pings, and creates at a rate that a client's own work would lower.
 */
import { connect, type Socket } from 'node:net';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { CreateFlags, OpCode, SpecialXid } from '../../../src/wire/opcodes.ts';
import type { Request } from '../../../src/wire/request-values.ts';
import type { Address } from '../../base/address.ts';
import { connectFrame, requestFrame } from '../../session/frames.ts';

const WINDOW = 900;
const HEAD_BYTES = 20;
const TIMEOUT_MS = 40_000;

export interface LargeReply {
  readonly bytes: number;
  readonly firstByteMs: number;
  readonly wholeMs: number;
}

export class TreeClient {
  private readonly socket: Socket;
  private buffered: Buffer = Buffer.alloc(0);
  private onReply: (error: number, frame: Buffer) => void = () => {};
  private onHead: (frameBytes: number) => void = () => {};
  /** Bytes of a large reply's body still to come; they are dropped. */
  private toSkip = 0;
  private onSkipped: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
  }

  static async open(address: Address): Promise<TreeClient> {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const client = new TreeClient(socket);
    const greeted = new Promise<void>((resolve, reject) => {
      client.onReply = () => resolve();
      socket.on('error', reject);
    });
    socket.write(connectFrame(TIMEOUT_MS));
    await greeted;
    return client;
  }

  /** Creates every path in order; rejects on the first error. */
  createAll(paths: Iterator<string>, data: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let done = 0;
      let exhausted = false;
      const refill = (): void => {
        const frames: Uint8Array[] = [];
        while (!exhausted && sent - done < WINDOW) {
          const next = paths.next();
          if (next.done === true) {
            exhausted = true;
            break;
          }
          const request: Request = {
            op: OpCode.create,
            path: next.value,
            data,
            acl: OPEN_ACL,
            flags: CreateFlags.persistent,
          };
          frames.push(requestFrame(++sent, request));
        }
        if (frames.length > 0) this.socket.write(Buffer.concat(frames));
        else if (exhausted && done === sent) resolve(done);
      };
      this.onReply = (error) => {
        if (error !== 0) reject(new Error(`create failed with ${error}`));
        done++;
        if (sent - done < WINDOW / 2) refill();
      };
      refill();
    });
  }

  /** The whole reply frame. */
  request(request: Request): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.onReply = (error, frame) =>
        error === 0 ? resolve(frame) : reject(new Error(`request failed with ${error}`));
      this.socket.write(requestFrame(1, request));
    });
  }

  /** getChildren of a large parent; the names are dropped as they come. */
  getLarge(path: string): Promise<LargeReply> {
    const startMs = performance.now();
    return new Promise((resolve) => {
      let firstByteMs = 0;
      let bytes = 0;
      this.onHead = (frameBytes) => {
        firstByteMs = performance.now() - startMs;
        bytes = frameBytes;
        this.onHead = () => {};
      };
      this.onSkipped = () => resolve({ bytes, firstByteMs, wholeMs: performance.now() - startMs });
      this.onReply = () => this.onSkipped();
      this.socket.write(requestFrame(1, { op: OpCode.getChildren, path, watch: false }));
    });
  }

  /** Pings one after the other until `until` settles; the worst and the number of round trips. */
  async pingUntil(until: Promise<unknown>): Promise<{ worstMs: number; count: number }> {
    let running = true;
    until.finally(() => {
      running = false;
    });
    let worstMs = 0;
    let count = 0;
    while (running) {
      const startMs = performance.now();
      await new Promise<void>((resolve) => {
        this.onReply = () => resolve();
        this.socket.write(requestFrame(SpecialXid.ping, { op: OpCode.ping }));
      });
      worstMs = Math.max(worstMs, performance.now() - startMs);
      count++;
    }
    return { worstMs, count };
  }

  close(): void {
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    if (this.toSkip > 0) {
      const skipped = Math.min(this.toSkip, chunk.length);
      this.toSkip -= skipped;
      if (this.toSkip > 0) return;
      this.onSkipped();
      chunk = chunk.subarray(skipped);
    }
    let bytes = this.buffered.length === 0 ? chunk : Buffer.concat([this.buffered, chunk]);
    while (bytes.length >= HEAD_BYTES) {
      const frameBytes = 4 + bytes.readInt32BE(0);
      this.onHead(frameBytes);
      if (frameBytes > 1_000_000) {
        this.toSkip = frameBytes - bytes.length;
        bytes = Buffer.alloc(0);
        break;
      }
      if (bytes.length < frameBytes) break;
      this.onReply(bytes.readInt32BE(16), bytes.subarray(0, frameBytes));
      bytes = bytes.subarray(frameBytes);
    }
    this.buffered = bytes;
  }
}
