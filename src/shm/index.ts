/**
 * The public module `ringkeeper/sharedarraybuffer-ring`: what threads of one process need to work on shared memory.
 * Inside the server, import the files themselves.
 */
export { Arena, type ArenaOptions, BLOCK_BYTES_MAX } from './arena.ts';
export { Bell, type BellChannel, createBell, type Defer, type WakePort } from './bell.ts';
export { type BlockSweep, Compactor, NO_ROOM } from './compactor.ts';
export { Counters, type CountersHandle, createCounters } from './counters.ts';
export { type BlockOwner, createEpochs, EpochReader, type EpochsHandle, EpochWriter } from './epochs.ts';
export { createRing, type RecordHandler, RingConsumer, type RingHandle, RingProducer } from './ring.ts';
export {
  GRAIN_SHIFT,
  SEGMENT_BYTES,
  SEGMENT_GRAIN_MASK,
  SEGMENT_GRAIN_SHIFT,
  type Segment,
  Segments,
} from './segments.ts';
