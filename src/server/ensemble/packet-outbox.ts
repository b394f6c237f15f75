/**
 * Packets on their way to one server, put together where they are written, so that a turn's acknowledgements leave in one write.
 * Bounded by what the other side has been sent: every packet answers or repeats something of its own. Core thread.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { SocketPort } from '../../net/transport.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { PACKET_BYTES_MIN, writeNoAuth, writePacketHead } from '../../wire/quorum/quorum-packet.ts';

const CAPACITY_MIN = 4096;

export class PacketOutbox {
  private bytes = Buffer.allocUnsafeSlow(CAPACITY_MIN);
  private view = viewOf(this.bytes);
  private end = 0;

  add(type: number, zxid: Zxid, data: Uint8Array | null): void {
    const length = PACKET_BYTES_MIN + (data?.length ?? 0);
    this.makeRoom(length);
    const at = writePacketHead(this.view, this.end, type, zxid, data?.length ?? -1);
    if (data !== null) copyBytes(data, 0, data.length, this.bytes, at);
    this.end = writeNoAuth(this.view, at + (data?.length ?? 0));
  }

  /** The socket keeps what it is given until it is written; what follows goes elsewhere. */
  flushTo(socket: SocketPort): void {
    if (this.end === 0) return;
    const sent = this.bytes.subarray(0, this.end);
    this.bytes = Buffer.allocUnsafeSlow(CAPACITY_MIN);
    this.view = viewOf(this.bytes);
    this.end = 0;
    socket.write(sent);
  }

  private makeRoom(length: number): void {
    if (this.end + length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.end + length));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
    this.view = viewOf(larger);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
