/**
 * Runs one phase on one worker: makes its participants (lanes of a mix, clients of a recipe), lets them join, keeps
 * time, waits for late replies, cleans up.
 *
 *     make all memory | join, ramp | warm-up | measured time | drain: at most DRAIN_MS | clean-up | report
 */
import { performance } from 'node:perf_hooks';
import { Prng } from '../../src/base/prng.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { ArrivalSchedule } from '../load/arrival.ts';
import { EncodedLane, type EncodedLaneParts } from '../load/encoded-lane.ts';
import { dealDeck } from '../load/entry-deck.ts';
import { mixTape } from '../load/frame-tape.ts';
import type { KeySpace } from '../load/key-space.ts';
import type { Lane, LaneSetting } from '../load/lane.ts';
import { sharedHistory } from '../load/lane-history.ts';
import { LoadPhase } from '../load/load-phase.ts';
import { FRESH_READ_LABEL, phaseLabels } from '../load/mix-labels.ts';
import { fitsTape, hasWatches, type MixLoad, MixRequests } from '../load/mix-requests.ts';
import { PhaseCounters } from '../load/phase-counters.ts';
import { type ReadBuffer, SessionSocket } from '../load/session-socket.ts';
import { TapeLane } from '../load/tape-lane.ts';
import { WatchDelays } from '../load/watch-delays.ts';
import { GcPauseMeter } from '../measure/gc-pauses.ts';
import type { Arrival, PhasePlan, RecipeLoad } from '../plan/plan.ts';
import { ClientSockets } from '../recipe/client-sockets.ts';
import { endsByWork, recipeClient, recipeRoot } from '../recipe/recipes.ts';
import { WorkloadClient } from '../recipe/workload-client.ts';
import type { Command, ServerShare, WorkerPhaseReport, WorkerSetting } from './worker-messages.ts';

/** How long replies are awaited after the end of a phase. */
const DRAIN_MS = 5_000;
const CLEAN_UP_MS = 10_000;
const TICK_MS = 1;
/** Requests that are due may wait up to this number per connection (open loop, `backlog`). */
const BACKLOG_MAX = 65_536;
const DECK_CARDS = 8_192;

type PhaseCommand = Extract<Command, { kind: 'phase' }>;
type OpenArrival = Extract<Arrival, { kind: 'open' }>;

/** A lane or a recipe's client. */
interface Participant {
  readonly idle: boolean;
  readonly unanswered: number;
  /** A client of the library has a session of its own, opened before the phase. */
  connect?(): void;
  join(nowMs: number): void;
  /** What has no reply counts as long as it waited. */
  giveUp(nowMs: number): void;
  leave(): void | Promise<void>;
  tick(nowMs: number): void;
}

export interface RunnerParts {
  readonly setting: WorkerSetting;
  readonly sockets: readonly SessionSocket[];
  /** Number of the first of them over all workers. */
  readonly firstIndex: number;
  readonly readBuffer: ReadBuffer;
  readonly space: KeySpace;
}

export class PhaseRunner {
  private readonly parts: RunnerParts;
  private readonly plan: PhasePlan;
  private readonly command: PhaseCommand;
  private readonly phase: LoadPhase;
  private readonly seed: number;
  private readonly sockets: readonly SessionSocket[];
  /** Of the workloads that are clients. */
  private readonly clientSockets = new ClientSockets();
  private readonly lanes: readonly Lane[];
  private readonly participants: readonly Participant[];
  private joinedCount = 0;

  constructor(parts: RunnerParts, command: PhaseCommand) {
    const { plan, workerIndex } = parts.setting;
    const phasePlan = plan.phases[command.phaseIndex]!;
    const { load } = phasePlan;
    this.parts = parts;
    this.plan = phasePlan;
    this.command = command;
    this.seed = plan.seed * 1_000 + workerIndex + command.phaseIndex * 100_003;
    this.phase = new LoadPhase(
      new PhaseCounters(command.counters),
      command.grid,
      Number.POSITIVE_INFINITY,
      parts.setting.addresses.length,
    );
    this.sockets = load.kind === 'sessionStorm' ? this.stormSockets() : parts.sockets;
    this.lanes = load.kind === 'mix' ? this.makeLanes(load) : [];
    this.participants =
      load.kind === 'mix'
        ? this.lanes
        : this.sockets.map((socket, i) => this.recipeParticipant(load, socket, i));
  }

  private recipeParticipant(load: RecipeLoad, socket: SessionSocket, i: number): Participant {
    const { setting, firstIndex } = this.parts;
    const { plan, addresses } = setting;
    const { phaseIndex, warmUp, delays } = this.command;
    const root = recipeRoot(plan.tree.root, phaseIndex, warmUp);
    return recipeClient(load, socket, this.phase, {
      ...{ root, addresses, index: firstIndex + i, clientCount: plan.connectionCount },
      sessionTimeoutMs: plan.sessionTimeoutMs,
      sockets: this.clientSockets,
      seed: this.seed + i,
      delays: new WatchDelays(delays),
    });
  }

  stop(): void {
    this.phase.stop(performance.now());
  }

  async run(): Promise<WorkerPhaseReport> {
    const { phase } = this;
    const gcPauses = new GcPauseMeter();
    for (const participant of this.participants) participant.connect?.();
    await until(phase.startMs);
    const driver = this.drive();
    await until(Math.min(phase.measureStartMs, phase.measureEndMs));
    const before = this.usage();
    const answeredBefore = this.answered();
    gcPauses.take();
    await driver;
    const after = this.usage();
    const servers = this.serverShares(answeredBefore);
    const gcPauseMaxMs = gcPauses.take().maxMs;
    gcPauses.stop();
    const measuredMs = Math.max(0, phase.measureEndMs - phase.measureStartMs);
    await this.drained();
    const endMs = performance.now();
    phase.finish(endMs);
    const unanswered = this.participants.reduce((sum, participant) => sum + participant.unanswered, 0);
    for (const participant of this.participants) participant.giveUp(endMs);
    const unansweredCounts = phase.unanswered.counts;
    await this.cleanUp();
    await Promise.all(this.participants.map((participant) => participant.leave()));
    if (this.sockets !== this.parts.sockets) for (const socket of this.sockets) socket.close();
    return {
      measuredMs,
      lost: phase.lostCount,
      unanswered,
      unansweredCounts,
      disorder: phase.disorderCount,
      dropped: phase.droppedCount,
      events: phase.events,
      eventsBeforeAck: phase.eventsBeforeAck,
      servers,
      errors: phase.errors,
      cpuMicros: after.cpuMicros - before.cpuMicros,
      gcPauseMaxMs,
      bytesSent: after.bytesSent - before.bytesSent,
      bytesReceived: after.bytesReceived - before.bytesReceived,
    };
  }

  /** From the start to the end of the measured time. */
  private async drive(): Promise<void> {
    const { load } = this.plan;
    if (load.kind === 'mix' && load.arrival.kind === 'open') return this.pump(load.arrival);
    const thinks = load.kind === 'mix' && load.arrival.kind === 'closed' && load.arrival.thinkTimeMs > 0;
    const finite = load.kind !== 'mix' && endsByWork(load);
    this.joinDue();
    while (performance.now() < this.phase.measureEndMs) {
      const busy = load.kind !== 'mix' || thinks || this.joinedCount < this.participants.length;
      await sleep(busy ? TICK_MS : 20);
      this.joinDue();
      const now = performance.now();
      if (load.kind !== 'mix' || thinks) for (const participant of this.participants) participant.tick(now);
      this.phase.roll(now);
      if (finite && this.participants.every(({ idle }) => idle)) this.phase.stop(now);
    }
    // Clients of a recipe learn from the clock that it is over.
    const now = performance.now();
    for (const participant of this.participants) participant.tick(now);
  }

  /** Closed loop: connections join one after another over the ramp. */
  private joinDue(): void {
    const { rampMs } = this.plan;
    const now = performance.now();
    const share = rampMs === 0 ? 1 : Math.min(1, (now - this.phase.startMs) / rampMs);
    const count = Math.ceil(share * this.participants.length);
    while (this.joinedCount < count) this.participants[this.joinedCount++]!.join(now);
  }

  /** Open loop: hands every due request to the next lane, however long ago it was due. */
  private async pump(arrival: OpenArrival): Promise<void> {
    const { phase, lanes } = this;
    const { workerCount } = this.parts.setting.plan;
    const schedule = new ArrivalSchedule(
      arrival,
      phase.startMs,
      this.plan.rampMs,
      1 / workerCount,
      this.seed,
    );
    for (const lane of lanes) lane.join(phase.startMs);
    let next = 0;
    for (;;) {
      const now = performance.now();
      const limit = Math.min(now, phase.measureEndMs);
      phase.roll(now);
      while (schedule.dueMs <= limit) {
        const lane = lanes[next]!;
        next = next + 1 === lanes.length ? 0 : next + 1;
        if (arrival.late === 'drop' ? lane.windowFull : lane.backlogFull) phase.droppedCount++;
        else lane.offer(schedule.dueMs);
        if (schedule.dueMs >= phase.measureStartMs) phase.onLag(now - schedule.dueMs);
        schedule.advance();
      }
      for (const lane of lanes) lane.flush(now);
      if (now >= phase.measureEndMs) return;
      await sleep(TICK_MS);
    }
  }

  /** Where the tags of values begin: warm-ups lie behind all phases. */
  private get tagSpace(): number {
    const { phaseIndex, warmUp } = this.command;
    return warmUp ? this.parts.setting.plan.phases.length + phaseIndex : phaseIndex;
  }

  private makeLanes(load: MixLoad): Lane[] {
    const { parts, phase, sockets } = this;
    const { outstanding } = parts.setting.plan;
    const setting: LaneSetting = {
      window: outstanding,
      backlogMax: load.arrival.kind === 'open' ? BACKLOG_MAX : 0,
      thinkTimeMs: load.arrival.kind === 'closed' ? load.arrival.thinkTimeMs : 0,
    };
    if (!parts.setting.plan.check && fitsTape(load)) {
      const tape = mixTape(load, parts.space, outstanding, this.seed);
      const stride = Math.floor(tape.slotCount / sockets.length);
      return sockets.map((socket, i) => new TapeLane(socket, phase, setting, tape, i * stride));
    }
    return this.makeEncodedLanes(load, setting);
  }

  private makeEncodedLanes(load: MixLoad, setting: LaneSetting): Lane[] {
    const { parts, phase, command } = this;
    const labels = phaseLabels(this.plan, parts.setting.plan.check);
    const weights = load.entries.map(({ weight }) => weight);
    const shared: EncodedLaneParts = {
      load,
      space: parts.space,
      deck: dealDeck(weights, DECK_CARDS, new Prng(this.seed)),
      writer: new JuteWriter(64 * 1024),
      delays: hasWatches(load) ? new WatchDelays(command.delays) : null,
      freshReadLabel: labels.findIndex(({ name }) => name === FRESH_READ_LABEL),
      eventLabels: Int16Array.from(load.entries, ({ label }) =>
        labels.findIndex(({ name, kind }) => kind === 'event' && name === `${label} event`),
      ),
    };
    const history =
      command.history === null
        ? null
        : sharedHistory(command.history, parts.setting, parts.space.targetCount, this.tagSpace);
    const stride = Math.floor(DECK_CARDS / this.sockets.length);
    return this.sockets.map((socket, i) => {
      const connection = parts.firstIndex + i;
      return new EncodedLane(socket, phase, setting, shared, {
        requests: new MixRequests(load, parts.space, this.seed + i, String(connection)),
        connection,
        firstCard: (i * stride) % DECK_CARDS,
        history,
      });
    });
  }

  /** Sessions that come and go: the connections' own sessions stay quiet meanwhile. */
  private stormSockets(): SessionSocket[] {
    const { addresses, plan } = this.parts.setting;
    return this.parts.sockets.map(
      (_, i) =>
        new SessionSocket(addresses, this.parts.firstIndex + i, this.parts.readBuffer, plan.sessionTimeoutMs),
    );
  }

  private async drained(): Promise<void> {
    const deadlineMs = performance.now() + DRAIN_MS;
    while (!this.participants.every(({ idle }) => idle) && performance.now() < deadlineMs) await sleep(2);
  }

  private async cleanUp(): Promise<void> {
    const deadlineMs = performance.now() + CLEAN_UP_MS;
    const lanes = this.lanes.filter((lane) => lane instanceof EncodedLane);
    while (lanes.some((lane) => !lane.idle || !lane.clean) && performance.now() < deadlineMs) {
      for (const lane of lanes) if (lane.idle && !lane.clean) lane.cleanUp();
      await sleep(2);
    }
  }

  /** Replies so far by server. */
  private answered(): Float64Array {
    const { answeredByServer } = this.phase;
    for (const lane of this.lanes) lane.credit(answeredByServer);
    return answeredByServer.slice();
  }

  private serverShares(before: Float64Array): ServerShare[] {
    const after = this.answered();
    const isMix = this.plan.load.kind === 'mix';
    // Where a client has a session of its own, the socket beside it is none of the load's.
    const used = this.sockets.filter((_, i) => !(this.participants[i] instanceof WorkloadClient));
    return this.parts.setting.addresses.map((address, server) => ({
      connections:
        this.clientSockets.openTo(address) +
        used.filter(({ ready, serverIndex }) => ready && serverIndex === server).length,
      answered: isMix ? after[server]! - before[server]! : null,
    }));
  }

  private usage(): { cpuMicros: number; bytesSent: number; bytesReceived: number } {
    const { user, system } = process.threadCpuUsage();
    const sum = (bytes: (socket: SessionSocket) => number): number =>
      this.sockets.reduce((total, socket) => total + bytes(socket), 0);
    return {
      cpuMicros: user + system,
      bytesSent: sum(({ bytesWritten }) => bytesWritten) + this.clientSockets.bytesWritten,
      bytesReceived: sum(({ bytesRead }) => bytesRead) + this.clientSockets.bytesRead,
    };
  }
}

async function until(localMs: number): Promise<void> {
  const rest = localMs - performance.now();
  if (rest > 0) await sleep(rest);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
