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
import { LOAD_OPS, type PhasePlan, type TreePlan } from '../plan.ts';
import { createRequest, deleteRequest, existsRequest, getRequest, setRequest } from './frames.ts';
import { makeKeyChooser } from './key-chooser.ts';

/** Enough slots to touch many keys, few enough that the frames stay small beside the machine's memory. */
const TAPE_SLOTS_MAX = 65_536;
const TAPE_BYTES_TARGET = 16 * 1024 * 1024;
const WRITER_BYTES = 1024 * 1024;

export class FrameTape {
  readonly slotCount: number;
  readonly bytes: Uint8Array;
  /** Where the frame of a slot starts; goes on over the lead, with one more entry for the end. */
  readonly offsets: Uint32Array;
  /** The op number of each slot. */
  readonly ops: Uint8Array;

  constructor(ops: Uint8Array, lead: number, requestOf: (slot: number) => Request) {
    const slotCount = ops.length;
    assert(slotCount >= lead, 'the tape is shorter than a batch');
    this.slotCount = slotCount;
    this.ops = ops;
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

export function keyPath(root: string, key: number): string {
  return `${root}/${String(key).padStart(7, '0')}`;
}

/** The requests of a phase: ops in the exact proportion of the mix, shuffled; keys as the tree's plan says. */
export function phaseTape(phase: PhasePlan, tree: TreePlan, window: number, seed: number): FrameTape {
  const frameBytes = 64 + tree.root.length + (phase.mix.set ? tree.valueBytes : 0);
  const slotCount = Math.max(window, Math.min(TAPE_SLOTS_MAX, Math.ceil(TAPE_BYTES_TARGET / frameBytes)));
  const prng = new Prng(seed);
  const ops = dealOps(phase, slotCount, prng);
  const keys = makeKeyChooser(tree.keys, tree.keyCount, prng.uint32());
  const value = patternValue(tree.valueBytes, prng);
  return new FrameTape(ops, window, (slot) => {
    const path = keyPath(tree.root, keys.next());
    const op = LOAD_OPS[ops[slot]!];
    if (op === 'get') return getRequest(path);
    return op === 'exists' ? existsRequest(path) : setRequest(path, value);
  });
}

/** Creates the keys [first, first + count). Sent once, from slot 0, so no batch wraps. */
export function createTape(tree: TreePlan, first: number, count: number): FrameTape {
  const value = patternValue(tree.valueBytes, new Prng(first));
  return new FrameTape(new Uint8Array(count), 0, (slot) =>
    createRequest(keyPath(tree.root, first + slot), value),
  );
}

/** Deletes them. */
export function deleteTape(tree: TreePlan, first: number, count: number): FrameTape {
  return new FrameTape(new Uint8Array(count), 0, (slot) => deleteRequest(keyPath(tree.root, first + slot)));
}

/** Bytes without a pattern that a compressing layer could use. */
function patternValue(valueBytes: number, prng: Prng): Uint8Array {
  return Uint8Array.from({ length: valueBytes }, () => prng.uint32());
}

function dealOps(phase: PhasePlan, slotCount: number, prng: Prng): Uint8Array {
  const weights = LOAD_OPS.map((op) => phase.mix[op] ?? 0);
  const sum = weights.reduce((a, b) => a + b, 0);
  const ops = new Uint8Array(slotCount);
  let dealt = 0;
  let cumulated = 0;
  for (let op = 0; op < weights.length; op++) {
    cumulated += weights[op]!;
    const end = Math.round((cumulated / sum) * slotCount);
    ops.fill(op, dealt, end);
    dealt = end;
  }
  for (let slot = slotCount - 1; slot > 0; slot--) {
    const other = prng.below(slot + 1);
    const op = ops[slot]!;
    ops[slot] = ops[other]!;
    ops[other] = op;
  }
  return ops;
}
