/**
 * A server that does nothing: it parses request frames and answers each with a fixed reply, on one thread. What
 * the generator reaches against it is the ceiling of generator, sockets and kernel; a real server's figure near
 * that ceiling says nothing about the server.
 *
 *     node bench/null-server.ts --value-bytes 1024        stdout: ready port=N mode=null threading=single pid=N
 */
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { PASSWORD_BYTES, writeConnectResponseValue } from '../src/wire/connect.ts';
import { JuteWriter } from '../src/wire/jute-writer.ts';
import { OpCode } from '../src/wire/opcodes.ts';
import { STAT_BYTES } from '../src/wire/stat.ts';
import { FrameSkimmer, REPLY_HEAD_BYTES, REQUEST_HEAD_BYTES } from './load/frame-skimmer.ts';

const SESSION_TIMEOUT_MS = 30_000;
const OUTPUT_BYTES = 512 * 1024;

const { values } = parseArgs({ options: { 'value-bytes': { type: 'string', default: '1024' } } });
const valueBytes = Number(values['value-bytes']);
const dataReply = reply(
  Buffer.concat([int32(valueBytes), Buffer.alloc(valueBytes, 'v'), Buffer.alloc(STAT_BYTES)]),
);
const statReply = reply(Buffer.alloc(STAT_BYTES));
const emptyReply = reply(Buffer.alloc(0));
const connectReply = connectResponse();
const outputBytes = Math.max(OUTPUT_BYTES, 2 * dataReply.length);
const freeOutputs: Buffer[] = [];

const server = createServer({ noDelay: true }, serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`ready port=${port} mode=null threading=single pid=${process.pid}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));

function serve(socket: Socket): void {
  const skimmer = new FrameSkimmer(REQUEST_HEAD_BYTES);
  let greeted = false;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const output = new ReplyOutput(socket);
    skimmer.begin(new DataView(chunk.buffer, chunk.byteOffset, chunk.length), 0, chunk.length);
    while (skimmer.next()) {
      if (!greeted) {
        greeted = true;
        output.append(connectReply, 0);
      } else output.append(replyTo(skimmer.word2), skimmer.word1);
      if (skimmer.word2 === OpCode.closeSession) socket.end();
    }
    if (skimmer.malformed) socket.destroy();
    output.send();
  });
}

function replyTo(op: number): Buffer {
  if (op === OpCode.getData) return dataReply;
  return op === OpCode.setData || op === OpCode.exists ? statReply : emptyReply;
}

/** Joins the replies to one chunk into few writes; buffers come back when the kernel has them. */
class ReplyOutput {
  private readonly socket: Socket;
  private buffer: Buffer | null = null;
  private end = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  append(frame: Buffer, xid: number): void {
    if (this.buffer !== null && this.end + frame.length > this.buffer.length) this.send();
    this.buffer ??= freeOutputs.pop() ?? Buffer.allocUnsafeSlow(outputBytes);
    this.buffer.set(frame, this.end);
    if (frame !== connectReply) this.buffer.writeInt32BE(xid, this.end + 4);
    this.end += frame.length;
  }

  send(): void {
    const buffer = this.buffer;
    if (buffer === null || !this.socket.writable) return;
    this.socket.write(buffer.subarray(0, this.end), () => freeOutputs.push(buffer));
    this.buffer = null;
    this.end = 0;
  }
}

/** `i32 length | i32 xid | i64 zxid | i32 err | body` */
function reply(body: Buffer): Buffer {
  const head = Buffer.alloc(REPLY_HEAD_BYTES);
  head.writeInt32BE(REPLY_HEAD_BYTES - 4 + body.length, 0);
  return Buffer.concat([head, body]);
}

function connectResponse(): Buffer {
  const writer = new JuteWriter();
  const frame = writer.beginBuffer();
  writeConnectResponseValue(writer, {
    protocolVersion: 0,
    timeoutMs: SESSION_TIMEOUT_MS,
    sessionId: 1n,
    password: new Uint8Array(PASSWORD_BYTES),
    readOnly: false,
  });
  writer.endBuffer(frame);
  return Buffer.from(writer.toBytes());
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
