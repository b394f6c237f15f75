/**
 * Worker entry of the load generator: owns a share of the connections, makes and removes the keys, and runs phases on
 * command. Between commands it only pings.
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { unreachable } from '../../src/base/assert.ts';
import { errorName } from '../../src/wire/error-codes.ts';
import { createTape, deleteTape, type FrameTape } from '../load/frame-tape.ts';
import { KeySpace } from '../load/key-space.ts';
import { LoadPhase } from '../load/load-phase.ts';
import { PhaseCounters } from '../load/phase-counters.ts';
import { type ReadBuffer, SessionSocket } from '../load/session-socket.ts';
import { TapeLane } from '../load/tape-lane.ts';
import { PhaseRunner } from './phase-runner.ts';
import {
  type Answer,
  type Command,
  GeneratorTrouble,
  type WorkerPhaseReport,
  type WorkerSetting,
} from './worker-messages.ts';

const READ_BUFFER_BYTES = 256 * 1024;
const OPEN_MS_MAX = 15_000;
/** Sessions are opened this many at a time: more than a listen backlog at once would be refused. */
const OPEN_AT_ONCE = 200;
/** Keys are created and deleted in pieces, so that the tape of a million keys need not exist at once. */
const KEYS_PER_PIECE = 8_192;
const KEY_WINDOW = 1_000;
/** A service that answers none of them for so long is given up. */
const KEYS_SILENT_MS_MAX = 30_000;

const port = parentPort ?? unreachable('the generator runs as a worker');
const setting = workerData as WorkerSetting;
const { plan, workerIndex } = setting;
const readBuffer = makeReadBuffer();
const { sockets, firstIndex } = makeSockets();
const space = new KeySpace(plan.tree);
let running: PhaseRunner | null = null;

setInterval(() => {
  for (const socket of sockets) socket.ping();
}, plan.sessionTimeoutMs / 3).unref();

port.on('message', (command: Command) => {
  if (command.kind === 'stop') {
    running?.stop();
    return;
  }
  execute(command).then(
    (report) => answer(command, { ok: true, report }),
    (error: Error) =>
      answer(command, {
        ok: false,
        message: error instanceof GeneratorTrouble ? error.message : (error.stack ?? error.message),
        trouble: error instanceof GeneratorTrouble ? error.trouble : { kind: 'defect' },
      }),
  );
});

function answer(command: Command, message: Answer): void {
  port.postMessage(message);
  if (command.kind === 'close') port.close(); // the thread ends when its sockets have
}

async function execute(command: Exclude<Command, { kind: 'stop' }>): Promise<WorkerPhaseReport | null> {
  switch (command.kind) {
    case 'open':
      await openAll();
      return null;
    case 'createKeys':
      await forEachPiece((first, count) => createTape(plan.tree, space, first, count, plan.check));
      return null;
    case 'deleteKeys':
      await forEachPiece((first, count) => deleteTape(space, first, count));
      return null;
    case 'phase':
      running = new PhaseRunner({ setting, sockets, firstIndex, readBuffer, space }, command);
      try {
        return await running.run();
      } finally {
        running = null;
      }
    case 'close':
      for (const socket of sockets) socket.close();
      return null;
    default:
      return unreachable('unknown command');
  }
}

function makeReadBuffer(): ReadBuffer {
  const memory = new ArrayBuffer(READ_BUFFER_BYTES);
  return { bytes: Buffer.from(memory), view: new DataView(memory) };
}

/** This worker's share of the connections; the first workers have one more where it does not divide evenly. */
function makeSockets(): { sockets: SessionSocket[]; firstIndex: number } {
  const { connectionCount, workerCount, sessionTimeoutMs } = plan;
  const low = Math.floor(connectionCount / workerCount);
  const more = connectionCount % workerCount;
  const count = low + (workerIndex < more ? 1 : 0);
  const first = workerIndex * low + Math.min(workerIndex, more);
  return {
    sockets: Array.from(
      { length: count },
      (_, i) => new SessionSocket(setting.addresses, first + i, readBuffer, sessionTimeoutMs),
    ),
    firstIndex: first,
  };
}

/** All of a batch are awaited, so that the number of those that did open is known. */
async function openAll(): Promise<void> {
  let opened = 0;
  const trouble = (reason: string): GeneratorTrouble =>
    new GeneratorTrouble(`${opened} of ${sockets.length} sessions were opened: ${reason}`, {
      kind: 'sessions',
      opened,
      reason,
    });
  const open = async (): Promise<void> => {
    for (let first = 0; first < sockets.length; first += OPEN_AT_ONCE) {
      const some = sockets.slice(first, first + OPEN_AT_ONCE);
      const settled = await Promise.allSettled(some.map((socket) => socket.open().then(() => opened++)));
      const refused = settled.find((one) => one.status === 'rejected');
      if (refused !== undefined) throw trouble((refused.reason as Error).message);
    }
  };
  let deadline: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => reject(trouble(`no more within ${OPEN_MS_MAX} ms`)), OPEN_MS_MAX);
  });
  try {
    await Promise.race([open(), tooLate]);
  } finally {
    clearTimeout(deadline);
  }
}

async function forEachPiece(makeTape: (first: number, count: number) => FrameTape): Promise<void> {
  const { keyCount, root } = plan.tree;
  for (let first = 0; first < keyCount; first += KEYS_PER_PIECE) {
    await sendOnce(makeTape(first, Math.min(KEYS_PER_PIECE, keyCount - first)), root);
  }
}

/** Sends a tape from its first slot to its last over one session: raw frames, for the sake of a million keys. @throws GeneratorTrouble */
async function sendOnce(tape: FrameTape, root: string): Promise<void> {
  const startMs = performance.now();
  const shape = { labelCount: 1, totalMs: 0, openLoop: false };
  const grid = { startMs: 0, measureStartMs: 0, measureEndMs: Number.POSITIVE_INFINITY, intervalMs: 1e12 };
  const phase = new LoadPhase(PhaseCounters.allocate(shape), grid, tape.slotCount);
  const window = Math.min(KEY_WINDOW, tape.slotCount);
  const lane = new TapeLane(sockets[0]!, phase, { window, backlogMax: 0, thinkTimeMs: 0 }, tape, 0);
  lane.join(startMs);
  const done = (): boolean => phase.exhausted && lane.idle;
  const broken = (): boolean => phase.lostCount + phase.disorderCount > 0;
  let answeredCount = 0;
  let answeredMs = startMs;
  while (!done() && !broken() && performance.now() < answeredMs + KEYS_SILENT_MS_MAX) {
    await sleep(2);
    const { done: count, errors } = phase.counters;
    if (count + errors === answeredCount) continue;
    answeredCount = count + errors;
    answeredMs = performance.now();
  }
  lane.leave();
  const what = `the tree ${root} could not be prepared`;
  if (broken()) throw new GeneratorTrouble(`${what}: the connection was lost`, { kind: 'lost' });
  if (!done()) {
    const missing = `${answeredCount} of ${tape.slotCount} requests were answered, then none for ${KEYS_SILENT_MS_MAX} ms`;
    throw new GeneratorTrouble(`${what}: ${missing}`, { kind: 'lost' });
  }
  for (const [code, count] of phase.errors) {
    const message = `${what}: ${count} replies with ${errorName(code)}`;
    throw new GeneratorTrouble(message, { kind: 'refused', code });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
