/** Packets made by hand. */
import { PACKET_BYTES_MIN, writeNoAuth, writePacketHead } from '../../../src/wire/quorum/quorum-packet.ts';
import { viewOf } from '../bytes.ts';

export function packetBytes(type: number, zxid: number, data: Uint8Array | null = null): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES_MIN + (data?.length ?? 0));
  const view = viewOf(bytes);
  const at = writePacketHead(view, 0, type, zxid, data?.length ?? -1);
  if (data !== null) bytes.set(data, at);
  writeNoAuth(view, at + (data?.length ?? 0));
  return bytes;
}
