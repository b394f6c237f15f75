/**
 * The leader of an ensemble is killed while a client of another server writes without a pause: how long that client goes without
 * an acknowledgement, and what the time was spent on, as the servers' own log lines say.
 *
 *     kill -9 ─▶ both have noticed ─▶ both know whom to follow ─▶ epoch promised ─▶ new leader leads ─▶ in step ─▶ client is back ─▶ acknowledged
 *
 * "Both" are the new leader and the client's server, which may be one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type LocalEnsemble, makeLocalEnsemble } from '../../../bench/target/local-ensemble.ts';
import { Prng } from '../../../src/base/prng.ts';
import { RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';
import { create, ok } from './requests.ts';
import { nowMs, SteadyWriter } from './steady-writer.ts';

export interface OutageOptions {
  readonly directory: string;
  readonly seed: number;
  readonly rounds: number;
  readonly servers: number;
  readonly tickMs: number;
  readonly onRound?: (round: OutageReport) => void;
  /** Of another checkout, to compare with. */
  readonly root?: string;
}

/** In this order, but for the last but one, which a client that keeps its connection has not. */
export const STEPS = [
  'noticed',
  'elected',
  'promised',
  'leading',
  'in step',
  'client back',
  'written',
] as const;
export type Step = (typeof STEPS)[number];

export interface OutageReport {
  readonly round: number;
  readonly killed: number;
  readonly clientAt: number;
  readonly newLeader: number;
  /** Between the last write acknowledged before and the first one after. */
  readonly outageMs: number;
  /** From the kill until each was done; null = not seen. */
  readonly stepsMs: Readonly<Record<Step, number | null>>;
}

/** Of a server's log, one JSON object a line. */
interface Line {
  readonly sid: number;
  readonly atMs: number;
  readonly msg: string;
  /** Of an election that is decided. */
  readonly round?: number;
  /** Of a leader that leads. */
  readonly epoch?: number;
}

const WRITES_BEFORE = 50;
const WRITES_AFTER = 10;
const LINES_MAX = 2000;
const ASKED_EVERY_MS = 20;
const PATH = '/outage';

export class OutageCampaign {
  private readonly options: OutageOptions;
  private readonly random: Prng;
  private lines: Line[] = [];
  private ensemble!: LocalEnsemble;

  constructor(options: OutageOptions) {
    this.options = options;
    this.random = new Prng(options.seed);
  }

  async run(): Promise<OutageReport[]> {
    const { servers, directory, tickMs, root } = this.options;
    this.ensemble = await makeLocalEnsemble({
      wantedBy: 'this campaign',
      ...{ voters: Array(servers).fill('ringkeeper'), observers: [], clientPort: null, directory },
      settings: { tickTime: String(tickMs), 'ringkeeper.logLevel': 'debug' },
      onLine: ({ plan }, line) => this.onLine(plan.sid, line),
      onEnd: () => {},
      ...(root === undefined ? {} : { root }),
    });
    const reports: OutageReport[] = [];
    try {
      this.ensemble.start();
      await this.serving();
      await this.makeNode();
      for (let round = 0; round < this.options.rounds; round++) {
        reports.push(await this.round(round));
        this.options.onRound?.(reports.at(-1)!);
      }
    } finally {
      await this.ensemble.kill();
    }
    return reports;
  }

  private onLine(sid: number, line: string): void {
    if (!line.startsWith('{')) return;
    const fields = JSON.parse(line) as Line & { readonly time: string };
    this.lines.push({ ...fields, sid, atMs: Date.parse(fields.time) });
    if (this.lines.length > LINES_MAX) this.lines.shift();
  }

  private async serving(): Promise<void> {
    await this.ensemble.awaitServing();
    await until(async () => {
      const modes = await this.ensemble.modes();
      return modes.every((mode) => mode !== null) && modes.filter((mode) => mode === 'leader').length === 1;
    });
  }

  private async makeNode(): Promise<void> {
    const client = await RawClient.open(this.ensemble.members[0]!.address.port);
    await ok(client, create(PATH));
    client.destroy();
  }

  private async round(round: number): Promise<OutageReport> {
    await this.serving();
    const leader = (await this.ensemble.leader())!;
    const home = this.random.pick(this.ensemble.members.filter((member) => member !== leader));
    const writer = new SteadyWriter(home.address.port, PATH);
    const running = writer.run();
    await Promise.race([running, writer.acknowledges(WRITES_BEFORE + this.random.below(WRITES_BEFORE))]);
    const killedMs = nowMs();
    const isDead = leader.kill();
    await Promise.race([running, writer.acknowledges(WRITES_AFTER, killedMs + 1)]);
    const { beginMs, endMs, backMs } = writer.longestOutage(killedMs);
    writer.stop();
    await Promise.all([running, isDead]);
    const next = await this.nextLeader();
    const steps = this.steps(killedMs, home.plan.sid, next);
    leader.start();
    return {
      ...{ round, killed: leader.plan.sid, clientAt: home.plan.sid, newLeader: next },
      outageMs: endMs - beginMs,
      stepsMs: {
        ...steps,
        'client back': backMs === null ? null : backMs - killedMs,
        written: endMs - killedMs,
      },
    };
  }

  private async nextLeader(): Promise<number> {
    for (;;) {
      const next = await this.ensemble.leader();
      if (next !== null) return next.plan.sid;
      await delay(ASKED_EVERY_MS);
    }
  }

  /** From the kill until the later one of both says so the last time before the client writes. */
  private steps(sinceMs: number, home: number, next: number) {
    // Lines have whole milliseconds.
    const said = this.lines.filter(({ atMs }) => atMs >= Math.floor(sinceMs));
    const last = (sid: number, isIt: (line: Line) => boolean): number | null => {
      const line = said.findLast((one) => one.sid === sid && isIt(one));
      return line === undefined ? null : line.atMs - sinceMs;
    };
    const both = (isIt: (line: Line) => boolean): number | null => {
      const [a, b] = [last(home, isIt), last(next, isIt)];
      return a === null || b === null ? null : Math.max(a, b);
    };
    const leading = last(next, ({ msg, epoch }) => msg === 'leading' && epoch !== undefined);
    return {
      noticed: both(({ msg }) => msg.startsWith('no longer with this leader')),
      elected: both(({ round }) => round !== undefined),
      promised: last(next, ({ msg }) => msg === 'a quorum has promised'),
      leading,
      'in step': home === next ? leading : last(home, ({ msg }) => msg.startsWith('in step')),
    };
  }
}
