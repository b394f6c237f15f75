/** The quorum streams that Apache 3.8.0 was seen to send (test/fixtures/apache-3.8.0/quorum-stream). */
import { readdirSync, readFileSync } from 'node:fs';
import { hex } from '../bytes.ts';

const DIRECTORY = new URL('../../fixtures/apache-3.8.0/quorum-stream/', import.meta.url);

export interface CapturedPacket {
  readonly isFromLearner: boolean;
  /** What the capture says of it: `ACK type=3 zxid=0x100000000 data=None auth=None`, or that it is the raw tree. */
  readonly note: string;
  readonly bytes: Uint8Array;
}

export interface CapturedStream {
  readonly name: string;
  readonly packets: readonly CapturedPacket[];
}

/** Of connections between a learner and its master. */
export function learnerStreams(): CapturedStream[] {
  return readdirSync(DIRECTORY)
    .filter((name) => /^[01]\d-/.test(name))
    .sort()
    .map((name) => ({ name, packets: packetsOf(readFileSync(new URL(name, DIRECTORY), 'utf8')) }));
}

function packetsOf(text: string): CapturedPacket[] {
  const packets: CapturedPacket[] = [];
  let note = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) note = line.slice(2);
    const match = /^([<>]) [\d.]+ ([0-9a-f]+)$/.exec(line);
    if (match !== null) packets.push({ isFromLearner: match[1] === '>', note, bytes: hex(match[2]!) });
  }
  return packets;
}

/** The bytes of one direction from the connection's beginning. */
export function streamOf(packets: readonly CapturedPacket[], isFromLearner: boolean): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      packets.filter((packet) => packet.isFromLearner === isFromLearner).map((packet) => packet.bytes),
    ),
  );
}
