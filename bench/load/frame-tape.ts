/**
 * A tape of ready request frames, shared by all connections of a worker and never written again. A request's
 * xid is its slot on the tape plus one, so nothing is patched before sending, a batch of requests is one
 * `subarray`, and the kernel may read the bytes whenever it likes.
 *
 *     slots:  0    1    2        slotCount-1 | 0    1  ... lead-1      the first frames again, so that a batch
 *             xid1 xid2 xid3 ... xid N       | xid1 xid2               of `lead` never has to wrap
 */
import { assert } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { type Request, writeRequestFrame } from '../../src/wire/request-values.ts';
import { writeTag } from '../check/history.ts';
import { meanBytes, type TreePlan } from '../plan/plan.ts';
import { createRequest, deleteRequest } from '../session/frames.ts';
import { dealDeck } from './entry-deck.ts';
import type { KeySpace } from './key-space.ts';
import { type MixLoad, MixRequests } from './mix-requests.ts';
import { ValueSource } from './value-source.ts';

/** Enough slots to touch many keys, few enough that the frames stay small beside the machine's memory. */
const TAPE_SLOTS_MAX = 65_536;
const TAPE_BYTES_TARGET = 16 * 1024 * 1024;
const WRITER_BYTES = 1024 * 1024;

export class FrameTape {
  readonly slotCount: number;
  readonly bytes: Uint8Array;
  /** Where the frame of a slot starts; goes on over the lead, with one more entry for the end. */
  readonly offsets: Uint32Array;
  /** The entry of the mix at each slot. */
  readonly entries: Uint8Array;

  constructor(entries: Uint8Array, lead: number, requestOf: (slot: number) => Request) {
    const slotCount = entries.length;
    assert(slotCount >= lead, 'the tape is shorter than a batch');
    this.slotCount = slotCount;
    this.entries = entries;
    this.offsets = new Uint32Array(slotCount + lead + 1);
    const writer = new JuteWriter(WRITER_BYTES);
    for (let slot = 0; slot < slotCount; slot++) {
      writeRequestFrame(writer, slot + 1, requestOf(slot));
      this.offsets[slot + 1] = writer.length;
    }
    const end = writer.length;
    for (let slot = 1; slot <= lead; slot++) this.offsets[slotCount + slot] = end + this.offsets[slot]!;
    this.bytes = new Uint8Array(end + this.offsets[lead]!);
    this.bytes.set(writer.written);
    this.bytes.copyWithin(end, 0, this.offsets[lead]!);
  }
}

/** The requests of a phase: entries in the exact proportion of the mix, shuffled; keys as the plan says. */
export function mixTape(load: MixLoad, space: KeySpace, window: number, seed: number): FrameTape {
  const writes = load.entries.some(({ op }) => op === 'set');
  const frameBytes = 64 + space.root.length + (writes ? meanBytes(load.values) : 0);
  const slotCount = Math.max(window, Math.min(TAPE_SLOTS_MAX, Math.ceil(TAPE_BYTES_TARGET / frameBytes)));
  const prng = new Prng(seed);
  const weights = load.entries.map(({ weight }) => weight);
  const deck = dealDeck(weights, slotCount, prng);
  const requests = new MixRequests(load, space, prng.uint32(), '');
  return new FrameTape(deck, window, (slot) => requests.make(load.entries[deck[slot]!]!));
}

/**
 * Creates the keys [first, first + count). Sent once, from slot 0, so no batch wraps. With `tagged` their values carry
 * tag 0, the history check's mark of a value that no phase has written.
 */
export function createTape(
  tree: TreePlan,
  space: KeySpace,
  first: number,
  count: number,
  tagged: boolean,
): FrameTape {
  const values = new ValueSource(tree.values, new Prng(first));
  return new FrameTape(new Uint8Array(count), 0, (slot) => {
    const value = tagged ? values.next().slice() : values.next();
    if (tagged) writeTag(value, 0, 0);
    return createRequest(space.keyPath(first + slot), value);
  });
}

/** Deletes them. */
export function deleteTape(space: KeySpace, first: number, count: number): FrameTape {
  return new FrameTape(new Uint8Array(count), 0, (slot) => deleteRequest(space.keyPath(first + slot)));
}
