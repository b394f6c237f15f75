/**
 * What must hold of an ensemble, whatever happens; asked at every message, every record of a log and every turn of a server.
 *
 *     one history    what any server serves is a prefix of the committed transactions, or their next (chronicle.ts)
 *     durable        when something is served first, a quorum of the voters has it in its logs
 *     kept           a leader that serves has everything that was committed
 *     digest         the trees of two servers at one zxid are equal
 *     writes         linearizable: a write has a greater zxid than anything anybody had been shown when it was sent
 *     reads          nothing older than the same client has been shown; after a sync nothing older than anybody was
 *     order          a client's requests are committed once, in their order (chronicle.ts)
 */
import { epochOf, type Zxid, zxidHex } from '../../../src/base/zxid.ts';
import type { CoreHost } from '../../../src/server/host/core-host.ts';
import { isWrite, OpCode } from '../../../src/wire/opcodes.ts';
import type { Response } from '../../../src/wire/responses.ts';
import type { Txn } from '../../support/wire/txn-values.ts';
import type { ServerObserver } from '../machine.ts';
import { type Asked, type JudgedClient, ReplyJudge } from '../reply-judge.ts';
import { Violation, type World } from '../world.ts';
import { Chronicle } from './chronicle.ts';

/** In peace the end of a session is committed everywhere by then. */
const REFUSAL_MS = 300;

export class EnsembleJudge extends ReplyJudge {
  readonly world: World;
  readonly chronicle: Chronicle;
  readonly witnesses: Witness[] = [];
  readonly counts = new Map<string, number>();
  /** Sessions end only if their clients are gone. */
  isPeace = false;
  expired = 0;
  snapshots = 0;
  private readonly closing = new Set<bigint>();
  /** New sessions are their server's alone; those that have been given. */
  areSessionsLocal = false;
  private readonly locals = new Set<bigint>();
  private readonly digests = new Map<Zxid, { readonly who: string; readonly text: string }>();
  private committedEpoch = 0;

  constructor(world: World) {
    super();
    this.world = world;
    this.chronicle = new Chronicle(this.model, (txn) => this.onCommitted(txn));
  }

  witness(name: string, isVoter: boolean): Witness {
    const witness = new Witness(this, name, isVoter);
    this.witnesses.push(witness);
    return witness;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  get committedCount(): number {
    return this.model.txns.length;
  }

  // ---- servers -----------------------------------------------------------------------------------------------

  /** A server that may serve clients has published everything up to `zxid`, and this is its tree. */
  onServed(witness: Witness, zxid: Zxid, digest: string): void {
    const { chronicle } = this;
    // Its own log may be behind.
    const floor = chronicle.floor(zxid);
    if (floor === null) return;
    if (chronicle.commit(witness.name, floor)) this.checkQuorum(witness, floor);
    const known = this.digests.get(floor);
    if (known === undefined) this.digests.set(floor, { who: witness.name, text: digest });
    else if (known.text !== digest)
      throw new Violation(
        `at 0x${zxidHex(floor)} the tree of ${witness.name} has digest ${digest}, that of ${known.who} ${known.text}`,
      );
  }

  onLeading(witness: Witness): void {
    const { chronicle } = this;
    const has = chronicle.holds(witness.head, chronicle.head);
    // A leader that nobody has told yet that it is none decides nothing any more.
    if (has === false && epochOf(witness.head) >= epochOf(chronicle.head))
      throw new Violation(`${witness.name} leads without the committed 0x${zxidHex(chronicle.head)}`);
  }

  private checkQuorum({ name }: Witness, zxid: Zxid): void {
    const voters = this.witnesses.filter(({ isVoter }) => isVoter);
    const holders = voters.filter(({ head }) => this.chronicle.holds(head, zxid) !== false);
    if (holders.length <= voters.length / 2)
      throw new Violation(
        `${name} serves 0x${zxidHex(zxid)}, and only ${holders.map((holder) => holder.name).join(' ')} have it in their logs`,
      );
  }

  private onCommitted(txn: Txn): void {
    const { body, clientId, cxid, zxid } = txn;
    if (epochOf(zxid) > this.committedEpoch) {
      this.committedEpoch = epochOf(zxid);
      this.count('epoch with transactions');
    }
    if (body.type === OpCode.createSession && this.locals.has(clientId))
      this.count('a local session was upgraded');
    if (body.type !== OpCode.closeSession || cxid !== 0) return;
    this.expired++;
    if (this.isPeace && !this.mayExpire(clientId))
      throw new Violation(`session 0x${clientId.toString(16)} expires in peace, and its client is there`);
  }

  /** Of clients that are there. */
  mayExpire: (sessionId: bigint) => boolean = () => true;

  // ---- clients -----------------------------------------------------------------------------------------------

  onWelcome(sessionId: bigint, isNew: boolean, by: string): void {
    const session = this.model.sessions.get(sessionId);
    if (session === undefined && this.areSessionsLocal && (isNew || this.locals.has(sessionId))) {
      this.locals.add(sessionId);
      this.count(isNew ? 'a local session' : 'a local session went on');
      return;
    }
    // A session that is renewed may be known by its leader alone so far; a new one is served by a server that has it.
    if (session === undefined) throw new Violation('a session was given that was never committed');
    if (isNew) this.onShown(session.createdZxid);
    // A leader that nobody has told yet that it is none, and who follows it, know of nothing that another one has committed.
    const epoch = this.witnesses.find(({ name }) => name === by)?.epoch ?? 0;
    if (session.closedZxid <= this.shownZxid && !isNew && epoch >= epochOf(session.closedZxid))
      throw new Violation(`session 0x${sessionId.toString(16)} was welcome, and somebody has seen its end`);
  }

  override onReply(
    client: JudgedClient,
    asked: Asked,
    zxid: Zxid,
    err: number,
    response: Response | null,
  ): void {
    const { sessionId, name } = client;
    const isLocal = this.locals.has(sessionId) && !this.model.sessions.has(sessionId);
    if (asked.request.op !== OpCode.closeSession || !isLocal)
      super.onReply(client, asked, zxid, err, response);
    else if (err !== 0 || zxid < asked.seenZxid)
      throw new Violation(`${name}: its local session ends with error ${err} at 0x${zxidHex(zxid)}`);
  }

  onCloseAsked(sessionId: bigint): void {
    this.closing.add(sessionId);
  }

  /** Its end may be on its way. */
  onRefused(sessionId: bigint): void {
    this.count('session refused');
    if (!this.isPeace || this.closing.has(sessionId)) return;
    this.world.after(REFUSAL_MS, () => {
      if (this.model.isLive(sessionId, this.model.lastZxid))
        throw new Violation(`session 0x${sessionId.toString(16)} lives and was refused`);
    });
  }

  protected oldestZxid({ request, shownZxid, seenZxid }: Asked): Zxid {
    if (isWrite(request.op)) return shownZxid;
    return request.op === OpCode.sync && this.isPeace ? shownZxid : seenZxid;
  }
}

/** One server as the judge sees it, over all its incarnations. */
export class Witness implements ServerObserver {
  readonly name: string;
  readonly isVoter: boolean;
  /** The last transaction of its log, or its snapshot. */
  head: Zxid = 0;
  host: CoreHost | null = null;
  private process: object | null = null;
  private treeZxid = -1;
  private readonly judge: EnsembleJudge;
  private servedZxid = -1;
  private wasInStep = false;
  private wasRole = '';
  private kept = 0;
  private askedAgain = 0;

  constructor(judge: EnsembleJudge, name: string, isVoter: boolean) {
    this.judge = judge;
    this.name = name;
    this.isVoter = isVoter;
  }

  // ---- the process -------------------------------------------------------------------------------------------

  onProcess(process: object): void {
    this.process = process;
    this.forgetHost();
  }

  isOf(process: object): boolean {
    return this.process === process;
  }

  /** Its process is gone. */
  forgetHost(): void {
    this.host = null;
    this.servedZxid = -1;
    this.wasInStep = false;
    this.treeZxid = -1;
    this.kept = 0;
    this.askedAgain = 0;
  }

  /** Of the leader that it follows, or is. */
  get epoch(): number {
    return epochOf(this.host?.['incarnations'].surroundings.role.epochZxid ?? 0);
  }

  /** The transaction up to which it serves; -1 = it does not. */
  get servedUpTo(): Zxid {
    if (!this.wasInStep) return -1;
    return this.judge.chronicle.floor(this.servedZxid) ?? -1;
  }

  // ---- the log -----------------------------------------------------------------------------------------------

  onRecovered(zxid: Zxid): void {
    this.judge.world.trace(this.name, `has recovered up to 0x${zxidHex(zxid)}`);
    this.head = zxid;
  }

  onProposal(zxid: Zxid, payload: Uint8Array): void {
    this.judge.chronicle.append(this.name, this.head, zxid, payload);
    this.head = zxid;
  }

  onCut(zxid: Zxid): void {
    this.judge.world.trace(this.name, `has cut its log behind 0x${zxidHex(zxid)}`);
    this.head = zxid === this.treeZxid ? zxid : (this.judge.chronicle.within(this.head, zxid) ?? zxid);
  }

  /** A tree as of `zxid` has taken the place of its own. */
  onTree(zxid: Zxid): void {
    this.judge.world.trace(this.name, `has taken over a tree as of 0x${zxidHex(zxid)}`);
    this.head = zxid;
    this.treeZxid = zxid;
  }

  // ---- turns -------------------------------------------------------------------------------------------------

  /** Its main thread has done something. */
  onTurn(): void {
    const { host } = this;
    if (host === null) return;
    const { role } = host['incarnations'].surroundings;
    if (!role.isInStep) {
      this.wasInStep = false;
      return;
    }
    const { replica } = host;
    if (host['isLoading'] || replica.isPublishing) return;
    this.lookAtKept(host, role.name);
    if (!this.wasInStep || role.name !== this.wasRole) {
      this.wasInStep = true;
      this.wasRole = role.name;
      this.servedZxid = -1;
      this.judge.count(`serves as ${role.name}`);
      if (role.name === ('leader' as string)) this.judge.onLeading(this);
    }
    const zxid = replica.progress.committed;
    if (zxid === this.servedZxid) return;
    this.servedZxid = zxid;
    const [high, low] = replica.parts.tree.committed.slice();
    this.judge.onServed(this, zxid, `${high!.toString(16)}:${low!.toString(16)}`);
  }

  private lookAtKept(host: CoreHost, role: string): void {
    const { keptClients, writesAskedAgain } = host['incarnations'].surroundings.statistics;
    if (keptClients > this.kept) this.judge.count(`clients were kept by what is now ${role}`);
    if (writesAskedAgain > this.askedAgain) this.judge.count('a held write is asked again');
    this.kept = keptClients;
    this.askedAgain = writesAskedAgain;
  }

  // ---- the rest ----------------------------------------------------------------------------------------------

  onHeard(): void {}
  onPause(): void {}
  onUnread(): void {}

  onLogLine(level: string, text: string): void {
    if (text.startsWith('snapshot ') && text.endsWith(' written')) this.judge.snapshots++;
    const sync = /^brought up a learner by (\w+)/.exec(text);
    if (sync !== null) this.judge.count(`sync by ${sync[1]}`);
    if (level === 'warn' && text.includes('digest differs'))
      throw new Violation(`${this.name} says: ${text}`);
  }
}
