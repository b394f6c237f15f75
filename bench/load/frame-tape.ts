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
import { LOAD_OPS, type PhasePlan, type TreePlan } from '../plan.ts';
import { createFrame, deleteFrame, existsFrame, getDataFrame, setDataFrame } from './frames.ts';
import { makeKeyChooser } from './key-chooser.ts';

/** Enough slots to touch many keys, few enough that the frames stay small beside the machine's memory. */
const TAPE_SLOTS_MAX = 65_536;
const TAPE_BYTES_TARGET = 16 * 1024 * 1024;

export class FrameTape {
  readonly slotCount: number;
  readonly bytes: Buffer;
  /** Where the frame of a slot starts; goes on over the lead, with one more entry for the end. */
  readonly offsets: Uint32Array;
  /** The op number of each slot. */
  readonly ops: Uint8Array;

  constructor(frames: readonly Buffer[], ops: Uint8Array, lead: number) {
    assert(frames.length === ops.length && frames.length >= lead, 'the tape is shorter than a batch');
    this.slotCount = frames.length;
    this.ops = ops;
    const unrolled = [...frames, ...frames.slice(0, lead)];
    this.bytes = Buffer.concat(unrolled);
    this.offsets = new Uint32Array(unrolled.length + 1);
    for (let slot = 0; slot < unrolled.length; slot++) {
      this.offsets[slot + 1] = this.offsets[slot]! + unrolled[slot]!.length;
    }
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
  const frames: Buffer[] = [];
  for (let slot = 0; slot < slotCount; slot++) {
    const path = keyPath(tree.root, keys.next());
    const op = LOAD_OPS[ops[slot]!]!;
    if (op === 'get') frames.push(getDataFrame(slot + 1, path));
    else if (op === 'exists') frames.push(existsFrame(slot + 1, path));
    else frames.push(setDataFrame(slot + 1, path, value));
  }
  return new FrameTape(frames, ops, window);
}

/** Creates the keys [first, first + count). */
export function createTape(tree: TreePlan, first: number, count: number): FrameTape {
  const value = patternValue(tree.valueBytes, new Prng(first));
  return keysTape(first, count, (slot, key) => createFrame(slot + 1, keyPath(tree.root, key), value));
}

export function deleteTape(tree: TreePlan, first: number, count: number): FrameTape {
  return keysTape(first, count, (slot, key) => deleteFrame(slot + 1, keyPath(tree.root, key)));
}

function keysTape(first: number, count: number, encode: (slot: number, key: number) => Buffer): FrameTape {
  const frames = Array.from({ length: count }, (_, slot) => encode(slot, first + slot));
  return new FrameTape(frames, new Uint8Array(count), 0); // sent once, from slot 0: no batch wraps
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
