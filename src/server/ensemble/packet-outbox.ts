/**
 * Packets on their way to one server, put together where they are written, so that a turn's acknowledgements leave in one write.
 * Bounded by what the other side has been sent, since nearly every packet answers something of its own, and by what a learner
 * forwards (core/forwarding). Core thread.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { SocketPort } from '../../net/transport.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { NO_ZXID, PacketType } from '../../wire/quorum/packet-types.ts';
import { REQUEST_HEAD_BYTES, writeRequestHead } from '../../wire/quorum/payloads.ts';
import { PACKET_BYTES_MIN, writeNoAuth, writePacketHead } from '../../wire/quorum/quorum-packet.ts';

const CAPACITY_MIN = 4096;
/** What the next batch is likely to need; a larger one grows its own. */
const CAPACITY_KEPT_MAX = 256 * 1024;

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

  /** REQUEST: a client's request as it came, `bytes[start, end)`; `ids` an encoded vector of Ids. */
  addRequest(
    idHigh: number,
    idLow: number,
    cxid: number,
    op: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    ids: Uint8Array | null,
  ): void {
    const dataLength = REQUEST_HEAD_BYTES + end - start;
    this.makeRoom(PACKET_BYTES_MIN + dataLength + (ids?.length ?? 0));
    const head = writePacketHead(this.view, this.end, PacketType.request, NO_ZXID, dataLength);
    const body = writeRequestHead(this.view, head, idHigh, idLow, cxid, op);
    copyBytes(bytes, start, end - start, this.bytes, body);
    const auth = body + end - start;
    if (ids === null) {
      this.end = writeNoAuth(this.view, auth);
    } else {
      copyBytes(ids, 0, ids.length, this.bytes, auth);
      this.end = auth + ids.length;
    }
  }

  /**
   * What the kernel takes at once leaves at once, and the memory serves the next batch. The socket keeps the rest until it is
   * written, `done` is called then; what follows goes elsewhere. `isIdle`: no `write` is under way. False: there is no
   * rest, and nobody is called.
   */
  flushTo(socket: SocketPort, isIdle: boolean, done: () => void): boolean {
    if (this.end === 0) return false;
    const written = isIdle ? socket.writeNow(this.bytes, this.end) : 0;
    const rest = written < this.end ? this.bytes.subarray(written, this.end) : null;
    if (rest !== null || this.bytes.length > CAPACITY_KEPT_MAX) this.renew();
    this.end = 0;
    if (rest !== null) socket.write(rest, done);
    return rest !== null;
  }

  private renew(): void {
    const capacity = Math.min(CAPACITY_KEPT_MAX, Math.max(CAPACITY_MIN, 2 ** Math.ceil(Math.log2(this.end))));
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = viewOf(this.bytes);
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
