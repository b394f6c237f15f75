/**
 * Worker entry of the load generator: owns a share of the connections and runs phases on command. Between
 * commands it only pings. All of a phase's memory is made before its start, and the tape is read-only.
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { unreachable } from '../../src/base/assert.ts';
import { errorName } from '../../src/wire/error-codes.ts';
import { latencyBucket, recordableUs } from '../measure/latency-recorder.ts';
import type { Arrival } from '../plan.ts';
import { ArrivalSchedule } from './arrival.ts';
import { createTape, deleteTape, type FrameTape, phaseTape } from './frame-tape.ts';
import { LoadConnection } from './load-connection.ts';
import { LoadPhase, type PhaseTimes } from './load-phase.ts';
import { toLocalMs } from './phase-clock.ts';
import { PhaseCounters } from './phase-counters.ts';
import type { Answer, Command, WorkerPhaseReport, WorkerSetting } from './worker-messages.ts';

const READ_BUFFER_BYTES = 256 * 1024;
const OPEN_MS_MAX = 15_000;
const PING_PERIOD_MS = 8_000;
/** How long replies are awaited after the end of a phase. */
const DRAIN_MS = 5_000;
const OPEN_LOOP_TICK_MS = 1;
/** Requests that are due may wait up to this number per connection (open loop, `backlog`). */
const BACKLOG_MAX = 65_536;
/** Keys are created and deleted in pieces, so that the tape of a million keys need not exist at once. */
const KEYS_PER_PIECE = 8_192;
const PIECE_MS_MAX = 30_000;

const port = parentPort ?? unreachable('the generator runs as a worker');
const { scenario, address, workerIndex } = workerData as WorkerSetting;
const seed = scenario.seed * 1_000 + workerIndex;
const connections = makeConnections();
let running: LoadPhase | null = null;

setInterval(() => {
  for (const connection of connections) connection.ping();
}, PING_PERIOD_MS).unref();

port.on('message', (command: Command) => {
  if (command.kind === 'stop') {
    if (running !== null)
      running.times.measureEndMs = Math.min(running.times.measureEndMs, performance.now());
    return;
  }
  execute(command).then(
    (report) => answer(command, { ok: true, report }),
    (error: Error) => answer(command, { ok: false, message: error.message }),
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
      await forEachPiece((first, count) => createTape(scenario.tree, first, count));
      return null;
    case 'deleteKeys':
      await forEachPiece((first, count) => deleteTape(scenario.tree, first, count));
      return null;
    case 'phase':
      return runPhase(command.phaseIndex, command.counters, command.startMs);
    case 'close':
      for (const connection of connections) connection.close();
      return null;
    default:
      return unreachable('unknown command');
  }
}

function makeConnections(): LoadConnection[] {
  const memory = new ArrayBuffer(READ_BUFFER_BYTES);
  const readBuffer = { bytes: Buffer.from(memory), view: new DataView(memory) };
  const { connectionCount, workerCount, outstanding, phases } = scenario;
  const share =
    Math.floor(connectionCount / workerCount) + (workerIndex < connectionCount % workerCount ? 1 : 0);
  const backlogMax = phases.some(({ arrival }) => arrival.kind !== 'closed') ? BACKLOG_MAX : 0;
  return Array.from(
    { length: share },
    () => new LoadConnection(address, readBuffer, outstanding, backlogMax),
  );
}

async function openAll(): Promise<void> {
  let opened = 0;
  const sessions = connections.map(async (connection) => {
    await connection.open();
    opened++;
  });
  let deadline: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => {
      reject(new Error(`only ${opened} of ${connections.length} sessions were open after ${OPEN_MS_MAX} ms`));
    }, OPEN_MS_MAX);
  });
  try {
    await Promise.race([Promise.all(sessions), tooLate]);
  } finally {
    clearTimeout(deadline);
  }
}

async function forEachPiece(makeTape: (first: number, count: number) => FrameTape): Promise<void> {
  const { keyCount } = scenario.tree;
  for (let first = 0; first < keyCount; first += KEYS_PER_PIECE) {
    const tape = makeTape(first, Math.min(KEYS_PER_PIECE, keyCount - first));
    const times = { measureStartMs: 0, measureEndMs: Number.POSITIVE_INFINITY };
    const phase = new LoadPhase(tape, PhaseCounters.allocate(0), times, {
      closedLoop: true,
      quota: tape.slotCount,
    });
    const connection = connections[0]!;
    connection.begin(phase, 0);
    connection.prime();
    const deadlineMs = performance.now() + PIECE_MS_MAX;
    while (!(phase.exhausted && connection.idle) && performance.now() < deadlineMs) await sleep(2);
    connection.end();
    const failed = whyIncomplete(phase, connection);
    if (failed !== null) throw new Error(`the tree ${scenario.tree.root} could not be prepared: ${failed}`);
  }
}

function whyIncomplete(phase: LoadPhase, connection: LoadConnection): string | null {
  if (phase.lostCount + phase.disorderCount > 0) return 'the connection was lost';
  if (!phase.exhausted || !connection.idle)
    return `${phase.tape.slotCount} requests took over ${PIECE_MS_MAX} ms`;
  for (const [code, count] of phase.errors) return `${count} replies with ${errorName(code)}`;
  return null;
}

async function runPhase(
  phaseIndex: number,
  memory: SharedArrayBuffer,
  startMonotonicMs: number,
): Promise<WorkerPhaseReport> {
  const plan = scenario.phases[phaseIndex]!;
  const tape = phaseTape(plan, scenario.tree, scenario.outstanding, seed + phaseIndex * 100_003);
  const startMs = toLocalMs(startMonotonicMs);
  const measureStartMs = startMs + plan.warmupMs;
  const times: PhaseTimes = { measureStartMs, measureEndMs: measureStartMs + plan.measureMs };
  const phase = new LoadPhase(tape, new PhaseCounters(memory, plan.measureMs), times, {
    closedLoop: plan.arrival.kind === 'closed',
    quota: Number.POSITIVE_INFINITY,
  });
  running = phase;
  const stride = Math.floor(tape.slotCount / connections.length);
  connections.forEach((connection, i) => {
    connection.begin(phase, i * stride);
  });
  await until(startMs);
  let pumped = Promise.resolve();
  if (plan.arrival.kind === 'closed') for (const connection of connections) connection.prime();
  else pumped = pump(phase, plan.arrival, startMs);
  await until(Math.min(measureStartMs, times.measureEndMs));
  const cpuBefore = threadCpuMicros();
  await Promise.all([untilEnd(times), pumped]);
  const cpuMicros = threadCpuMicros() - cpuBefore;
  await drained(performance.now() + DRAIN_MS);
  running = null;
  for (const connection of connections) connection.end();
  return {
    measuredMs: Math.max(0, times.measureEndMs - measureStartMs),
    replies: phase.measuredReplies,
    lost: phase.lostCount,
    unanswered: connections.reduce((sum, connection) => sum + connection.unanswered, 0),
    disorder: phase.disorderCount,
    dropped: phase.droppedCount,
    errors: phase.errors,
    cpuMicros,
  };
}

/** Open loop: hands every due request to the next connection, however long ago it was due. */
async function pump(
  phase: LoadPhase,
  arrival: Exclude<Arrival, { kind: 'closed' }>,
  startMs: number,
): Promise<void> {
  const rate = arrival.ratePerSecond / scenario.workerCount;
  const schedule = new ArrivalSchedule(arrival.kind, rate, startMs, seed);
  let next = 0;
  for (;;) {
    const now = performance.now();
    const limit = Math.min(now, phase.times.measureEndMs);
    while (schedule.dueMs <= limit) {
      const connection = connections[next]!;
      next = (next + 1) % connections.length;
      const refuse = arrival.late === 'drop' ? connection.windowFull : connection.backlogFull;
      if (refuse) phase.droppedCount++;
      else connection.offer(schedule.dueMs);
      phase.counters.lag[latencyBucket(recordableUs(now - schedule.dueMs))]!++;
      schedule.advance();
    }
    for (const connection of connections) connection.flush();
    if (now >= phase.times.measureEndMs) return;
    await sleep(OPEN_LOOP_TICK_MS);
  }
}

/** Waits for the end of the phase, which `stop` may move. */
async function untilEnd(times: PhaseTimes): Promise<void> {
  while (performance.now() < times.measureEndMs)
    await sleep(Math.min(50, times.measureEndMs - performance.now()));
}

async function drained(deadlineMs: number): Promise<void> {
  while (!connections.every((connection) => connection.idle) && performance.now() < deadlineMs)
    await sleep(2);
}

async function until(localMs: number): Promise<void> {
  const rest = localMs - performance.now();
  if (rest > 0) await sleep(rest);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function threadCpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
