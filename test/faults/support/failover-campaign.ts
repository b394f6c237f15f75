/**
 * Servers of an ensemble are killed or stand still under write load, again and again on the same files. Behind each the ensemble must
 * show what the first k operations of each writer make, with all acknowledged ones among them; one session keeps some
 * thousand ephemerals all the while, moving from server to server.
 *
 *     all serve ─▶ settle by one of them ─▶ writers at all of them ─▶ load ─▶ kill -9, or SIGSTOP, of the leader or of another ─┐
 *        ▲                                                                  others serve ─▶ it comes back, or goes on          │
 *        └────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Writers of a server that is gone, or whose leader is, lose their connection within their operations; all others are ended in order.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { EnsembleMember } from '../../../bench/target/ensemble-member.ts';
import { type LocalEnsemble, makeLocalEnsemble } from '../../../bench/target/local-ensemble.ts';
import { Prng } from '../../../src/base/prng.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';
import { create, EPHEMERAL, getEphemerals, ok } from './requests.ts';
import { settleAll } from './settle.ts';
import { isConnectionLoss, SESSION_TIMEOUT_MS, type Session, Writer } from './writer.ts';
import { sequenceNumber, WriterModel } from './writer-model.ts';

export const DISTURBANCES = ['kill leader', 'stop leader', 'kill follower', 'stop follower'] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

export interface FailoverOptions {
  readonly directory: string;
  readonly seed: number;
  readonly rounds: number;
  readonly servers: number;
  /** Writes that a round acknowledges before it is disturbed, at most, about. */
  readonly writesMax: number;
  /** Of the session that keeps them. */
  readonly ephemerals: number;
  /** In turn. */
  readonly disturbances: readonly Disturbance[];
  readonly onRound?: (round: FailoverReport) => void;
}

export interface FailoverReport {
  readonly round: number;
  readonly disturbance: Disturbance;
  readonly sid: number;
  readonly acknowledged: number;
  /** Operations in flight at the disturbance, and how many of them had happened. */
  readonly inFlight: number;
  readonly happened: number;
  /** From the disturbance until all others serve behind a leader, as they say themselves. */
  readonly servingMs: number;
}

const WRITERS = 4;
const WORD_MS = 60_000;
const EPHEMERALS_AT_ONCE = 200;
const AGAIN_MS = 100;
/** A leader that stands still is left within some seconds; a session outlives that. */
const SETTINGS = {
  tickTime: '500',
  initLimit: '40',
  syncLimit: '6',
  maxSessionTimeout: '120000',
  snapCount: '1000',
  preAllocSize: '64',
};

export class FailoverCampaign {
  private readonly options: FailoverOptions;
  private readonly random: Prng;
  private readonly writers: Writer[];
  private readonly numbers = new Set<number>();
  private readonly output: string[] = [];
  private ensemble!: LocalEnsemble;
  private holder: Session | null = null;

  constructor(options: FailoverOptions) {
    this.options = options;
    this.random = new Prng(options.seed);
    this.writers = Array.from(
      { length: WRITERS },
      (_, i) => new Writer(new WriterModel(i, new Prng(options.seed * 31 + i))),
    );
  }

  /** @throws Error naming round and seed when something cannot be explained */
  async run(): Promise<FailoverReport[]> {
    const { servers, directory, seed } = this.options;
    this.ensemble = await makeLocalEnsemble({
      wantedBy: 'this campaign',
      ...{ voters: Array(servers).fill('ringkeeper'), observers: [], clientPort: null },
      ...{ directory, settings: SETTINGS },
      onLine: (member, line) => {
        this.output.push(`${member.plan.sid} ${line}`);
        if (this.output.length > 400) this.output.shift();
      },
      onEnd: (_, why) => this.output.push(why),
    });
    const reports: FailoverReport[] = [];
    let round = 0;
    try {
      this.ensemble.start();
      for (; round < this.options.rounds; round++) {
        reports.push(await this.round(round));
        this.options.onRound?.(reports.at(-1)!);
      }
      await this.lastLook();
    } catch (error) {
      const said = this.output.slice(-40).join('\n');
      const what = (error as Error).message;
      throw new Error(`round ${round} with seed ${seed}: ${what}\nthe servers said last:\n${said}`, {
        cause: error,
      });
    } finally {
      await this.ensemble.kill();
    }
    return reports;
  }

  private async round(round: number): Promise<FailoverReport> {
    const { disturbances } = this.options;
    const disturbance = disturbances[round % disturbances.length]!;
    await this.serving();
    await this.settle();
    await this.lookAtHolder();
    const leader = (await this.ensemble.leader())!;
    const victim = disturbance.endsWith('leader') ? leader : this.random.pick(this.others(leader));
    const { acknowledged, servingMs } = await this.load(disturbance, victim);
    const inFlight = this.writers.reduce((sum, { model }) => sum + model.inFlightCount, 0);
    const happened = await this.settle();
    if (disturbance.startsWith('kill')) victim.start();
    else victim.signal('SIGCONT');
    const { sid } = victim.plan;
    return { round, disturbance, sid, acknowledged, inFlight, happened, servingMs };
  }

  /** Until all servers have the same, and nobody has found another tree than its leader. */
  private async lastLook(): Promise<void> {
    await this.serving();
    await this.settle();
    await this.lookAtHolder();
    const words = (word: string): Promise<string[]> =>
      Promise.all(this.ensemble.members.map(({ address }) => fourLetterWord(address.port, word, WORD_MS)));
    await until(async () => {
      const zxids = (await words('srvr')).map((answer) => /^Zxid: (\S+)$/m.exec(answer)?.[1]);
      return zxids[0] !== undefined && zxids.every((zxid) => zxid === zxids[0]);
    });
    for (const answer of await words('mntr')) assert.match(answer, /^zk_digest_mismatches_count\t0$/m);
    // Of every 128th transaction each keeps the tree's digest, but not of those before its own start.
    const digests = new Map<string, string>();
    for (const line of (await words('hash')).flatMap((answer) => answer.trimEnd().split('\n'))) {
      const [zxid, digest] = line.split(': ') as [string, string];
      assert.equal(digests.get(zxid) ?? digest, digest, `trees at ${zxid}`);
      digests.set(zxid, digest);
    }
  }

  // ---- load ----------------------------------------------------------------------------------------------

  /** Until the disturbance, and on at those that it does not touch until all others serve. */
  private async load(disturbance: Disturbance, victim: EnsembleMember) {
    const goal = 50 + this.random.below(this.options.writesMax);
    let acknowledged = 0;
    const reached = Promise.withResolvers<void>();
    const onAcknowledged = (created: string | null): void => {
      if (created !== null) this.onNewNumber(sequenceNumber(created));
      if (++acknowledged === goal) reached.resolve();
    };
    const { members } = this.ensemble;
    const places = this.writers.map((_, i) => members[i % members.length]!);
    for (const [i, writer] of this.writers.entries())
      await again(() => writer.connect(places[i]!.address.port));
    const runs = this.writers.map(async (writer, i) => {
      try {
        await writer.run(places[i]!.address.port, onAcknowledged);
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
      }
    });
    await Promise.race([reached.promise, Promise.all(runs)]);
    const disturbedMs = performance.now();
    if (disturbance.startsWith('kill')) await victim.kill();
    else victim.signal('SIGSTOP');
    const others = this.others(victim);
    await until(async () => {
      const modes = await Promise.all(others.map((member) => member.mode()));
      return modes.includes('leader') && modes.every((mode) => mode !== null);
    });
    const servingMs = Math.round(performance.now() - disturbedMs);
    // What a server that stands still has not read yet, it reads when it goes on: by then its leader is done with it.
    if (disturbance === 'stop follower') await this.isLeft(victim);
    for (const [i, writer] of this.writers.entries()) {
      if (places[i] === victim) writer.drop();
      else writer.finish();
    }
    await Promise.all(runs);
    return { acknowledged, servingMs };
  }

  private async isLeft(victim: EnsembleMember): Promise<void> {
    await until(async () => {
      const leader = await this.ensemble.leader();
      if (leader === null) return false;
      const figures = await fourLetterWord(leader.address.port, 'mntr', WORD_MS);
      return !figures.includes(`zk_ringkeeper_learner_${victim.plan.sid}_phase\t`);
    });
  }

  private others(one: EnsembleMember): EnsembleMember[] {
    return this.ensemble.members.filter((member) => member !== one);
  }

  /** A leader that stood still thinks for a moment that it leads: it has to have found out. */
  private async serving(): Promise<void> {
    await this.ensemble.awaitServing();
    await until(async () => {
      const modes = await this.ensemble.modes();
      return modes.every((mode) => mode !== null) && modes.filter((mode) => mode === 'leader').length === 1;
    });
  }

  // ---- afterwards ----------------------------------------------------------------------------------------

  /** By any server that serves. */
  private settle(): Promise<number> {
    return again(async () => {
      const { port } = (await this.anyone()).address;
      return settleAll(port, this.writers, (number) => this.numbers.add(number));
    });
  }

  private async anyone(): Promise<EnsembleMember> {
    let serving: EnsembleMember[] = [];
    await until(async () => {
      const modes = await this.ensemble.modes();
      serving = this.ensemble.members.filter((_, at) => modes[at] !== null);
      return serving.length > 0;
    });
    return this.random.pick(serving);
  }

  private onNewNumber(number: number): void {
    assert.ok(!this.numbers.has(number), `sequence number ${number} twice`);
    this.numbers.add(number);
  }

  /** The session that keeps ephemerals goes on at any server, and has all of them there. */
  private lookAtHolder(): Promise<void> {
    return again(() => this.lookOnce());
  }

  private async lookOnce(): Promise<void> {
    const { ephemerals } = this.options;
    const { port } = (await this.anyone()).address;
    const client = await RawClient.open(port, { timeoutMs: SESSION_TIMEOUT_MS, ...(this.holder ?? {}) });
    if (this.holder === null) {
      const { op, body } = create('/held');
      await client.request(op, body);
      for (let from = 0; from < ephemerals; from += EPHEMERALS_AT_ONCE) {
        const count = Math.min(EPHEMERALS_AT_ONCE, ephemerals - from);
        const requests = Array.from({ length: count }, (_, i) =>
          create(`/held/${from + i}`, undefined, EPHEMERAL),
        );
        for (const { op, body } of requests) client.send(op, body);
        for (const _ of requests) assert.equal((await client.reply()).err, 0);
      }
    } else {
      assert.equal(
        client.session.sessionId,
        this.holder.sessionId,
        'the session that keeps ephemerals is gone',
      );
    }
    this.holder = client.session;
    const { body } = await ok(client, getEphemerals('/held'));
    assert.equal(body.strings().length, ephemerals, `ephemerals at ${port}`);
    client.destroy();
  }
}

/** As often as the connection is lost meanwhile: on a busy machine a leader may be given up at any time. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      await delay(AGAIN_MS);
    }
  }
}
