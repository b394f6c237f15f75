/**
 * A learner and its leader, both under the test's control: what the learner forwards lies with the leader until `take`, what the
 * leader says lies on the line until `deliver`. The leader is a replica that is asked as a server's leader part will ask it; it
 * says things in the order that Apache's leaders keep. `settle` lets everything happen.
 */
import assert from 'node:assert/strict';
import { ForwardedWrite } from '../../../src/core/client/write-request.ts';
import type { LeaderLink } from '../../../src/core/ports/leader-link.ts';
import type { ReplicaOptions } from '../../../src/core/replica-parts.ts';
import { JuteReader } from '../../../src/wire/jute-reader.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { writeCloseSessionTxn } from '../../../src/wire/txn-writers.ts';
import { ReplicaHarness } from './replica-harness.ts';

type Said =
  | { readonly kind: 'proposal'; readonly payload: Uint8Array }
  | { readonly kind: 'commit'; readonly zxid: number }
  | { readonly kind: 'sync' }
  | { readonly kind: 'revalidated'; readonly high: number; readonly low: number; readonly isValid: boolean };

export interface Asked {
  readonly high: number;
  readonly low: number;
  readonly cxid: number;
  readonly op: number;
  readonly body: Uint8Array;
  /** `scheme:id`; null: nobody's. */
  readonly ids: readonly string[] | null;
}

export class LearnerHarness extends ReplicaHarness implements LeaderLink {
  readonly leader: ReplicaHarness;
  /** Forwarded and not taken by the leader yet. */
  readonly asked: Asked[] = [];
  /** Said by the leader and not delivered yet. */
  readonly said: Said[] = [];
  readonly revalidations: { readonly high: number; readonly low: number; readonly timeoutMs: number }[] = [];
  private saidProposals = 0;
  private saidCommitted = 0;
  private readonly syncsAfter: number[] = [];

  constructor(options: Partial<ReplicaOptions> = {}, leaders = options) {
    super({ ...options, serverId: 2 });
    this.leader = new ReplicaHarness(leaders);
    const { role } = this.incarnations.surroundings;
    role.join('follower');
    role.isInStep = true;
    role.leader = this;
    this.replica.learner.beginTerm(0);
  }

  // ---- LeaderLink ----------------------------------------------------------------------------------------

  forward(
    high: number,
    low: number,
    cxid: number,
    op: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    ids: Uint8Array | null,
  ): void {
    this.asked.push({ high, low, cxid, op, body: bytes.slice(start, end), ids: idsOf(ids) });
  }

  revalidate(high: number, low: number, timeoutMs: number): void {
    this.revalidations.push({ high, low, timeoutMs });
  }

  // ---- the leader ----------------------------------------------------------------------------------------

  /** The leader takes so many of what was forwarded. */
  take(count = this.asked.length): void {
    const { leader } = this;
    for (const asked of this.asked.splice(0, count)) {
      leader.turn(() => this.propose(asked));
      this.say();
    }
  }

  /** What it has proposed up to there is decided. */
  decide(zxid = this.leader.log.lastZxid): void {
    this.leader.durable(zxid);
    while (this.leader.background());
    this.say();
  }

  answerRevalidations(): void {
    const { sessions } = this.leader.parts;
    for (const { high, low } of this.revalidations.splice(0)) {
      const slot = sessions.find(high, low);
      const isValid = slot >= 0 && !sessions.isClosing(slot);
      this.said.push({ kind: 'revalidated', high, low, isValid });
    }
  }

  private propose({ high, low, cxid, op, body, ids }: Asked): void {
    const { proposer, sessions } = this.leader.parts;
    if (op === OpCode.sync) {
      this.say();
      this.syncsAfter.push(this.leader.replica.progress.proposed);
      return;
    }
    let slot = sessions.find(high, low);
    if (op === OpCode.createSession) {
      slot = sessions.create(high, low, new DataView(body.buffer).getInt32(0), this.leader.nowMs);
      this.leader.replica.lifecycle.expiry.add(slot);
      sessions.setProposed(slot, true);
      assert.ok(proposer.proposeCreateSession(null, slot));
      return;
    }
    // Gone already: every request ends in a transaction all the same.
    if (slot < 0 && this.leader.parts.locals.areDefault) slot = sessions.visit(high, low);
    const isUnknown = slot < 0;
    if (isUnknown) {
      slot = sessions.create(high, low, 4000, this.leader.nowMs);
      sessions.setClosing(slot);
    }
    const bytes = new Uint8Array([...int32(cxid), ...int32(op), ...body]);
    const write = new ForwardedWrite();
    write.moveTo(bytes, new DataView(bytes.buffer), 0, bytes.length, this.leader.nowMs);
    const authIds = (ids ?? []).map((text) => ({
      scheme: text.split(':')[0]!,
      id: text.slice(text.indexOf(':') + 1),
    }));
    write.origin = { session: slot, authIds };
    if (op === OpCode.closeSession) {
      if (sessions.isClosing(slot)) this.closeAgain(slot, cxid);
      else this.untilRoom(() => proposer.proposeCloseSession(slot, null, cxid));
    } else {
      this.untilRoom(() => proposer.propose(write));
      while (this.leader.parts.proposer.multi.isStaging) this.leader.replica.doBackgroundWork();
    }
    if (isUnknown) sessions.remove(slot);
  }

  private untilRoom(propose: () => boolean): void {
    while (!propose()) this.leader.replica.onDurable(this.leader.log.lastZxid);
  }

  // As Apache does it: a second transaction, which ends nothing.
  private closeAgain(slot: number, cxid: number): void {
    const { writer } = this.leader.parts;
    const at = writer.claim(64);
    const zxid = writer.progress.nextZxid();
    writer.begin();
    const body = writer.header(at, slot, cxid, zxid, OpCode.closeSession);
    writer.finish(at, writeCloseSessionTxn(writer.log.view, body, 0), zxid);
    writer.push(zxid, OpCode.closeSession, null, cxid, 0);
  }

  // PROPOSALs as they are made; COMMITs, and behind each of them the SYNCs that were asked for up to there.
  private say(): void {
    const { leader, said, syncsAfter } = this;
    const { txns } = leader.log;
    while (this.saidProposals < txns.length) {
      said.push({ kind: 'proposal', payload: txns[this.saidProposals++]!.payload });
    }
    const { committed } = leader.replica.progress;
    for (const { zxid } of txns) {
      if (zxid <= this.saidCommitted || zxid > committed) continue;
      while (syncsAfter.length > 0 && syncsAfter[0]! < zxid) this.sync();
      said.push({ kind: 'commit', zxid });
      this.saidCommitted = zxid;
    }
    while (syncsAfter.length > 0 && syncsAfter[0]! <= committed) this.sync();
  }

  private sync(): void {
    this.syncsAfter.shift();
    this.said.push({ kind: 'sync' });
  }

  // ---- the line ------------------------------------------------------------------------------------------

  /** The learner hears so many of what was said, as far as it can take them; returns how many. */
  deliver(count = this.said.length): number {
    let heard = 0;
    this.turn(() => {
      for (; heard < count && this.said.length > 0; heard++) {
        if (!this.hear(this.said[0]!)) return;
        this.said.shift();
      }
    });
    return heard;
  }

  private hear(said: Said): boolean {
    const { replica } = this;
    switch (said.kind) {
      case 'proposal': {
        // At an odd place of a buffer that is spoiled afterwards, as a packet's is.
        const bytes = new Uint8Array(said.payload.length + 5);
        bytes.set(said.payload, 3);
        const staged = replica.onProposal(bytes, new DataView(bytes.buffer), 3, 3 + said.payload.length);
        bytes.fill(0xee);
        assert.notEqual(staged, null);
        return staged === true;
      }
      case 'commit':
        replica.onDecided(said.zxid);
        return true;
      case 'sync':
        if (!replica.learner.isPublished) return false;
        replica.learner.onSynced();
        return true;
      case 'revalidated':
        if (!replica.learner.isPublished) return false;
        replica.learner.onRevalidated(said.high, said.low, said.isValid);
        return true;
    }
  }

  // ---- ReplicaHarness ------------------------------------------------------------------------------------

  override durable(zxid?: number): void {
    this.take();
    this.decide(zxid);
    this.answerRevalidations();
    this.deliver();
    super.durable();
  }

  override settle(): void {
    do super.settle();
    while (this.asked.length > 0 || this.revalidations.length > 0 || this.deliver() > 0);
  }

  // Without room in the log here, the line stands still.
  protected override hasMore(): boolean {
    return this.log.room > 0 && super.hasMore();
  }
}

function int32(value: number): number[] {
  return [...new Uint8Array(new Int32Array([value]).buffer)].reverse();
}

function idsOf(bytes: Uint8Array | null): string[] | null {
  if (bytes === null) return null;
  const reader = new JuteReader(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
  const ids = Array.from({ length: reader.readInt() }, () => `${reader.readString()}:${reader.readString()}`);
  assert.equal(reader.remaining, 0);
  return ids;
}
