/**
 * A client with a session that stops reading: whatever the server sends stays in its socket until `listen`. It goes on
 * sending.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { frame, requestFrame } from '../../support/raw-client.ts';
import { connectRequest } from '../../support/request-bodies.ts';
import type { Request } from './requests.ts';

const CONNECT_FRAME_BYTES = 41;
const SESSION_TIMEOUT_MS = 40_000;
const NOTIFICATION_XID = -1;

export interface ReplyHead {
  readonly xid: number;
  readonly err: number;
}

export class DeafClient {
  /** The server has closed or reset the connection. */
  closed = false;
  private readonly socket: Socket;
  private nextXid = 1;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.once('close', () => {
      this.closed = true;
    });
  }

  static async open(port: number): Promise<DeafClient> {
    const socket = connect({ host: '127.0.0.1', port });
    const client = new DeafClient(socket);
    await once(socket, 'connect');
    socket.write(frame(connectRequest({ timeoutMs: SESSION_TIMEOUT_MS, readOnly: false })));
    // In paused mode the stream takes up to its high water mark and then leaves the rest to the kernel.
    while (socket.read(CONNECT_FRAME_BYTES) === null) await once(socket, 'readable');
    return client;
  }

  /** Sends requests in one piece; their xids count up from 1. */
  send(requests: readonly Request[]): void {
    const frames = requests.map(({ op, body }) => requestFrame(this.nextXid++, op, body));
    this.socket.write(Buffer.concat(frames));
  }

  /** Reads again: the heads of `count` replies, fewer if the connection ends before. */
  async listen(count: number): Promise<ReplyHead[]> {
    const heads: ReplyHead[] = [];
    let buffered: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      buffered.push(chunk);
      length += chunk.length;
      if (length < 4 || length < 4 + firstLength(buffered)) continue;
      let bytes = Buffer.concat(buffered);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const xid = bytes.readInt32BE(4);
        if (xid !== NOTIFICATION_XID) heads.push({ xid, err: bytes.readInt32BE(16) });
        bytes = bytes.subarray(4 + bytes.readInt32BE(0));
      }
      buffered = [bytes];
      length = bytes.length;
      if (heads.length >= count) break;
    }
    return heads;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function firstLength(chunks: readonly Buffer[]): number {
  const [first] = chunks;
  return first!.length >= 4 ? first!.readInt32BE(0) : Buffer.concat(chunks).readInt32BE(0);
}
