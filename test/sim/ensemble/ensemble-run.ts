/**
 * One run: an ensemble and its clients under faults, then peace, then the reckoning.
 *
 *     faults    virtual seconds of load; the judge looks at every message, every log and every server's tree
 *     peace     faults end: all servers are in step with one leader, and every client gets a write done
 *     silence   clients that have vanished lose their sessions, and their ephemerals with them
 *     audit     every path is read on every server; then all lose their power or are stopped, start, and the same again
 */
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { SimClient } from '../sim-client.ts';
import type { SimServer } from '../sim-server.ts';
import { type Habits, Workload } from '../workload.ts';
import { Violation, World } from '../world.ts';
import { type DrawnEnsemble, drawEnsemble } from './draw-ensemble.ts';
import { ENSEMBLE_FAULTS, type EnsembleFault, EnsembleFaults } from './ensemble-faults.ts';
import { EnsembleJudge } from './ensemble-judge.ts';
import { type EnsembleVariant, INTACT } from './ensemble-variants.ts';
import { EnsembleMember } from './member.ts';
import { PeerNetwork } from './peer-network.ts';
import { shortenEpochs } from './short-epochs.ts';
import { watchHosts } from './watch-hosts.ts';

export interface EnsembleResult {
  readonly seed: number;
  /** Null = everything held. */
  readonly violation: string | null;
  readonly virtualMs: number;
  readonly steps: number;
  readonly faults: ReadonlyMap<string, number>;
  /** States that this run has reached, by name. */
  readonly covered: ReadonlySet<string>;
  readonly acknowledged: number;
  readonly reads: number;
  readonly committed: number;
  readonly lines: readonly string[];
}

/** Without faults everybody catches up and gets a write done in this time. */
const PEACE_MS = 60_000;
/**
 * And has found a leader in this: pauses and stalls last up to 4 s more, elections begin again after up to 2 s. Besides, a
 * server whose leader has lost its power is silent for `syncLimit` ticks; nobody may wait for `initLimit`, which is twice that and more.
 */
const WHOLE_MS = 7000;
/** Until then clients find only the leader, and learners are audited by the digests of their trees. */
const LEARNERS_SERVE: boolean = true;
/** Before the first fault, mostly: an ensemble that works. */
const BEGIN_MS = 20_000;

/** By the seed's number, so that it takes nothing from what seeds draw; null = out of reach, as in life. */
function drawEpochLength(seed: number): number | null {
  return seed % 5 === 0 ? 20 + (seed % 100) : null;
}

export async function runEnsemble(
  seed: number,
  variant: EnsembleVariant = INTACT,
  traced = false,
): Promise<EnsembleResult> {
  const run = new EnsembleRun(seed, variant, traced);
  const undo = [watchHosts(run.judge.witnesses), variant.patch?.()];
  const epochLength = variant.epochLength ?? drawEpochLength(seed);
  if (epochLength !== null)
    undo.push(shortenEpochs(epochLength, () => run.judge.count('an epoch was used up')));
  let violation: string | null = null;
  try {
    await run.all();
  } catch (error) {
    violation = error instanceof Violation ? error.message : String((error as Error).stack ?? error);
    run.world.trace('violation', violation);
  } finally {
    for (const each of undo.reverse()) each?.();
  }
  return run.result(violation);
}

class EnsembleRun {
  readonly world: World;
  readonly judge: EnsembleJudge;
  private readonly variant: EnsembleVariant;
  private readonly drawn: DrawnEnsemble;
  private readonly members: readonly EnsembleMember[];
  private readonly clients: SimClient[] = [];
  /** One for each server. */
  private readonly auditors: readonly SimClient[];
  private readonly workload: Workload;
  private readonly faults: EnsembleFaults;
  private readonly kinds: readonly EnsembleFault[];

  constructor(seed: number, variant: EnsembleVariant, traced: boolean) {
    const world = new World(seed, traced);
    const { prng } = world;
    this.world = world;
    this.variant = variant;
    this.judge = new EnsembleJudge(world);
    this.drawn = drawEnsemble(world);
    this.judge.pingsOvertake = this.drawn.keepsClients;
    const network = new PeerNetwork(world, prng.pick([0.5, 3, 20]));
    const { configs, observers } = this.drawn;
    this.members = configs.map((config, i) => {
      const sid = i + 1;
      const witness = this.judge.witness(`s${sid}`, !observers.has(sid));
      return new EnsembleMember(world, variant, sid, config, network.host(`s${sid}`), witness);
    });
    const { minSessionTimeoutMs } = configs[0]!;
    const latencyMsMax = prng.pick([0.3, 3, 20]);
    const servers = this.members.map(({ server }) => server);
    const known = (): readonly SimServer[] => {
      const leader = LEARNERS_SERVE ? undefined : this.members.find(({ role }) => role === 'leader');
      return leader === undefined ? servers : [leader.server];
    };
    const client = (n: number, tried = known): SimClient =>
      new SimClient(
        `c${n}`,
        null,
        minSessionTimeoutMs * (1 + prng.below(4)),
        latencyMsMax,
        tried,
        this.judge,
      );
    for (let n = 1; n <= 2 + prng.below(4); n++) this.clients.push(client(n));
    this.auditors = servers.map((server, i) => client(50 + i, () => [server]));
    this.workload = new Workload(world, this.drawHabits());
    this.kinds = ENSEMBLE_FAULTS.filter(
      (kind) => prng.chance(0.3) || variant.faults?.includes(kind) === true,
    );
    this.faults = new EnsembleFaults(world, this.judge, network, this.members, this.clients);
    this.judge.areSessionsLocal = this.drawn.configs[0]!.localSessionsEnabled;
    this.judge.mayExpire = (id) => !this.isHeardOf(id);
  }

  private drawHabits(): Habits {
    const { prng } = this.world;
    return {
      restMsMax: prng.pick([50, 200, 1000]),
      burstMax: prng.pick([1, 4, 12]),
      underWayMax: prng.pick([1, 10, 60]),
      dataBytesMax: this.drawn.isTiny ? 400 : prng.pick([50, 500, 5000]),
      largeShare: prng.pick([0.1, 0.5]),
      whim: prng.pick([0, 0.01, 0.05]),
      hasTtl: true,
      hasAcls: false,
      hasQuota: false,
    };
  }

  /** Its client has been connected for longer than its timeout, and pings. */
  private isHeardOf(id: bigint): boolean {
    const { nowMs } = this.world;
    return this.clients.some(
      ({ sessionId, state, welcomeMs, timeoutMs }) =>
        sessionId === id && state === 'open' && nowMs - welcomeMs > timeoutMs,
    );
  }

  async all(): Promise<void> {
    const { world, faults, workload, clients } = this;
    const { prng } = world;
    faults.keepUp();
    for (const client of clients) workload.start(client);
    if (prng.chance(0.8)) await this.until(() => this.isWhole, BEGIN_MS);
    const lengthMs = prng.pick([1000, 4000, 10_000]);
    faults.schedule(this.kinds, lengthMs / prng.pick([0.5, 2, 5]), this.variant.faults ?? []);
    await this.until(() => false, lengthMs);
    await this.peace();
    await this.silence();
    await this.audit();
    await this.restartAll();
    await this.audit();
  }

  result(violation: string | null): EnsembleResult {
    const { world, judge, faults } = this;
    return {
      seed: world.seed,
      violation,
      virtualMs: world.virtualMs,
      steps: world.steps,
      faults: faults.counts,
      covered: this.covered(),
      acknowledged: judge.acknowledged,
      reads: judge.reads,
      committed: judge.committedCount,
      lines: world.lines ?? [],
    };
  }

  /** A server must not end by itself unless its disk was made to fail. */
  private async until(isDone: () => boolean, limitMs: number): Promise<boolean> {
    return await this.world.run(() => {
      for (const member of this.members) {
        const { ended } = member.server;
        if (ended !== null && !member.mayEnd)
          throw new Violation(`${member.name} has ended: ${ended.message}`);
      }
      return isDone();
    }, limitMs);
  }

  /** All are in step with one leader. */
  private get isWhole(): boolean {
    let leaders = 0;
    for (const member of this.members) {
      if (!member.isInStep || !member.server.isServing) return false;
      if (member.role === 'leader') leaders++;
    }
    return leaders === 1;
  }

  /** And have the same history. */
  private get isEqual(): boolean {
    const { chronicle } = this.judge;
    return this.isWhole && this.members.every(({ witness }) => witness.servedUpTo === chronicle.head);
  }

  // ---- peace -------------------------------------------------------------------------------------------------

  private async peace(): Promise<void> {
    this.world.trace('run', 'peace');
    this.faults.heal();
    this.workload.isOver = true;
    const { tickTimeMs, ensemble } = this.drawn.configs[0]!;
    const wholeMs = WHOLE_MS + ensemble!.syncLimitTicks * tickTimeMs;
    if (!(await this.until(() => this.isWhole, wholeMs))) {
      const roles = this.members.map(({ name, role }) => `${name} ${role}`).join(', ');
      throw new Violation(`nothing goes wrong for ${wholeMs} ms, and they are not with one leader: ${roles}`);
    }
    await this.writeEach(this.clients);
    this.judge.isPeace = true;
  }

  /** Each of them gets a write done. */
  private async writeEach(clients: readonly SimClient[]): Promise<void> {
    const waiting = new Set(clients);
    const data = new Uint8Array(1);
    const ask = (client: SimClient): void => {
      if (!waiting.has(client)) return;
      if (client.state === 'open' && client.asked.length === 0) {
        const path = `/peace-${client.name}`;
        client.send({ op: OpCode.create, path, data, acl: OPEN_ACL, flags: 0 }, () => waiting.delete(client));
      }
      this.world.after(50, () => ask(client));
    };
    for (const client of waiting) ask(client);
    if (await this.until(() => waiting.size === 0, PEACE_MS)) return;
    const names = [...waiting].map((client) => `${client.name} (${client.state})`).join(', ');
    throw new Violation(`nothing goes wrong for ${PEACE_MS} ms, and yet no write gets done by ${names}`);
  }

  private async silence(): Promise<void> {
    const gone = this.clients.filter(() => this.world.prng.chance(0.5));
    const sessions = gone.map((client) => client.sessionId).filter((id) => id !== 0n);
    for (const client of gone) client.vanish();
    const { maxSessionTimeoutMs, tickTimeMs } = this.drawn.configs[0]!;
    const { model } = this.judge;
    const isOver = (): boolean => sessions.every((id) => !model.isLive(id, model.lastZxid));
    if (!(await this.until(isOver, maxSessionTimeoutMs + 4 * tickTimeMs + 1000)))
      throw new Violation('a session outlives its client for longer than its timeout');
    for (const id of sessions)
      if (model.ephemeralsOf(id).length > 0) throw new Violation('an ephemeral outlives its session');
  }

  /** Every path as the model has it, by a client of each server. */
  private async audit(): Promise<void> {
    if (!(await this.until(() => this.isEqual, PEACE_MS))) {
      const { head } = this.judge.chronicle;
      const served = this.members.map(
        ({ name, role, witness }) => `${name} ${role} 0x${witness.servedUpTo.toString(16)}`,
      );
      throw new Violation(
        `in peace they do not come to the same history 0x${head.toString(16)}: ${served.join(', ')}`,
      );
    }
    const paths = this.judge.model.paths().filter((path) => !path.startsWith('/zookeeper'));
    this.world.trace('run', `audit of ${paths.length} paths`);
    const auditors = this.auditors.filter((_, i) => LEARNERS_SERVE || this.members[i]!.role === 'leader');
    const unread = new Map(auditors.map((auditor) => [auditor, paths.length]));
    const asked = new Map<SimClient, unknown>();
    const isRead = (): boolean => {
      for (const auditor of auditors) {
        if (auditor.state !== 'open' || asked.get(auditor) === auditor.connection) continue;
        // A connection may break for what went wrong earlier: then all is asked again.
        asked.set(auditor, auditor.connection);
        unread.set(auditor, 2 * paths.length);
        const done = (): void => void unread.set(auditor, unread.get(auditor)! - 1);
        for (const path of paths) {
          auditor.send({ op: OpCode.getData, path, watch: false }, done);
          auditor.send({ op: OpCode.getChildren2, path, watch: false }, done);
        }
      }
      return [...unread.values()].every((left) => left === 0);
    };
    for (const auditor of auditors) this.attend(auditor);
    if (!(await this.until(isRead, PEACE_MS))) throw new Violation('in peace the audit gets no answers');
  }

  private readonly attended = new Set<SimClient>();

  private attend(auditor: SimClient): void {
    if (this.attended.has(auditor)) return;
    this.attended.add(auditor);
    this.workload.start(auditor);
  }

  /** What is on the disks is enough, whatever became of the machines. */
  private async restartAll(): Promise<void> {
    const { prng } = this.world;
    const how = prng.pick(['power', 'kill', 'stop'] as const);
    this.world.trace('run', `all of them ${how === 'stop' ? 'are stopped' : `go down (${how})`}`);
    this.judge.count(`all down: ${how}`);
    for (const member of this.members) {
      if (how === 'power') member.powerLoss();
      else if (how === 'kill') member.crash();
      else void member.server.stop();
    }
    if (!(await this.until(() => this.isWhole, PEACE_MS)))
      throw new Violation('after a restart of all they are not with one leader');
  }

  private covered(): Set<string> {
    const { judge, workload, faults, drawn } = this;
    const covered = new Set<string>([`${drawn.configs.length} servers`]);
    if (drawn.isTiny) covered.add('tiny rings');
    if (drawn.observers.size > 0) covered.add('observers');
    for (const kind of faults.counts.keys()) covered.add(`fault ${kind}`);
    for (const phase of faults.phases) covered.add(`fault ${phase}`);
    for (const op of workload.counts.keys()) covered.add(`op ${op}`);
    for (const what of judge.counts.keys()) covered.add(what);
    if (judge.expired > 0) covered.add('a session expired');
    if (judge.events > 0) covered.add('a watch fired');
    if (judge.snapshots > 0) covered.add('a snapshot was written');
    if (this.members.some(({ server }) => server.fullRings > 0)) covered.add('a ring was full');
    return covered;
  }
}
