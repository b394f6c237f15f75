/** PacketOutbox: whatever the kernel takes at a time, packets leave whole and in their order. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import type { SocketPort } from '../../../src/net/transport.ts';
import { PacketOutbox } from '../../../src/server/ensemble/packet-outbox.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';

const LARGE_BYTES = 400_000;

it('packets leave in order, however little the kernel takes, and memory is given back', () => {
  const prng = new Prng(5);
  const outbox = new PacketOutbox();
  const arrived: Buffer[] = [];
  const waiting: { readonly bytes: Buffer; readonly done: () => void }[] = [];
  const socket = {
    writeNow: (bytes: Buffer, length: number) => {
      assert.equal(waiting.length, 0, 'never while a write is under way');
      const taken = prng.pick([0, length, prng.below(length + 1)]);
      arrived.push(Buffer.from(bytes.subarray(0, taken)));
      return taken;
    },
    write: (bytes: Buffer, done: () => void) => void waiting.push({ bytes, done }),
  } as unknown as SocketPort;
  let writes = 0;
  const expected: Uint8Array[] = [];
  for (let turn = 0; turn < 2000; turn++) {
    for (let i = prng.below(4); i > 0; i--) {
      const length = prng.chance(0.01) ? LARGE_BYTES : prng.below(3000);
      const data = length === 0 ? null : new Uint8Array(length).fill(turn);
      outbox.add(PacketType.ack, turn, data);
      expected.push(packetBytes(PacketType.ack, turn, data));
    }
    if (outbox.flushTo(socket, writes === 0, () => writes--)) writes++;
    if (prng.chance(0.5)) finish();
  }
  finish();

  function finish(): void {
    for (const { bytes, done } of waiting.splice(0)) {
      arrived.push(Buffer.from(bytes));
      done();
    }
  }

  assert.ok(Buffer.concat(arrived).equals(Buffer.concat(expected)));
});
