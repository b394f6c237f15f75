/**
 * Everything one io thread and the core share when they are different threads: a ring each way, a bell each way and
 * the flow words. Made by the supervisor, posted to the io worker, kept by the core.
 *
 *     io ── request ring ──▶ core            io ◀── reply ring ── core
 *     io ── core's bell ───▶ core            io ◀── io's bell ─── core
 *
 * Flow words (int32), one region:
 *
 *     line 0   ioWaits     1 = the io thread found the request ring full; core clears it and rings once it has drained
 *     line 1   coreWaits   1 = the core has replies that did not fit; io clears it and rings once it has drained
 *     line 2   turnsAsked  counts up: a core that comes late wants the sockets to have their turn first
 *     line 3   turnsDone   io: the value of turnsAsked for which that has happened, all of it in the request ring
 *     data     settled[slot]   reply bytes that left the slot's backlog since start, written by io, wraps around
 *              starved[slot]   1 = the core found no room for the slot and waits for onDrained
 *
 * The core counts the bytes it has committed per slot; committed - settled is the backlog, wherever the bytes are
 * (ring, slabs, kernel). Dropped bytes count as settled, so both totals agree when nothing is under way, and a
 * slot's next connection simply goes on counting.
 */

import { createBell } from '../../shm/bell.ts';
import { controlWords, createRegion, LINE_BYTES, LINE_WORDS } from '../../shm/region.ts';
import { createRing, type RingHandle } from '../../shm/ring.ts';
import { createIoMeter, type IoMeterHandle } from '../monitor/io-meter.ts';

export interface IoLinkHandle {
  /** Index of the io thread; the upper part of its connection ids. */
  readonly io: number;
  readonly slotCount: number;
  readonly requests: RingHandle;
  readonly replies: RingHandle;
  readonly ioBell: SharedArrayBuffer;
  readonly coreBell: SharedArrayBuffer;
  readonly flow: SharedArrayBuffer;
  readonly meter: IoMeterHandle;
}

export interface IoLinkOptions {
  readonly io: number;
  readonly slotCount: number;
  /** Powers of two; a record may take half of its ring. */
  readonly requestRingBytes: number;
  readonly replyRingBytes: number;
  /** The core's one bell, shared by all its sources of work. */
  readonly coreBell: SharedArrayBuffer;
}

const FLOW_LINES = 4;
export const IO_WAITS = 0;
export const CORE_WAITS = LINE_WORDS;
export const TURNS_ASKED = 2 * LINE_WORDS;
export const TURNS_DONE = 3 * LINE_WORDS;

export function createIoLink(options: IoLinkOptions): IoLinkHandle {
  return {
    io: options.io,
    slotCount: options.slotCount,
    requests: createRing(options.requestRingBytes),
    replies: createRing(options.replyRingBytes),
    ioBell: createBell(),
    coreBell: options.coreBell,
    flow: createRegion(FLOW_LINES, options.slotCount * 8),
    meter: createIoMeter(`io_${options.io}`),
  };
}

/** The constants above index into these. */
export function waitWords(link: IoLinkHandle): Int32Array {
  return controlWords(link.flow, FLOW_LINES);
}

export function settledBytes(link: IoLinkHandle): Int32Array {
  return new Int32Array(link.flow, FLOW_LINES * LINE_BYTES, link.slotCount);
}

export function starvedFlags(link: IoLinkHandle): Int32Array {
  return new Int32Array(link.flow, FLOW_LINES * LINE_BYTES + link.slotCount * 4, link.slotCount);
}
