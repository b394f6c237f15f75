/**
 * Draws the steps of a run from a seed. The only feedback is the oracle's answer to the previous step, so that a seed
 * always gives the same run against the same oracle.
 */
import { Prng } from '../../../src/base/prng.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode, opName } from '../../../src/wire/opcodes.ts';
import * as bodies from '../../support/request-bodies.ts';
import type { StepOutcome } from './comparer.ts';
import * as material from './material.ts';
import type { NormalReply, NormalStat } from './normaliser.ts';
import { type Draft, quote, RequestSource, type SlotState, WatchClass, watchClass } from './requests.ts';
import { type Effect, OpenMode, type Request, SLOT_COUNT, type Step } from './step.ts';

const BURST_MAX = 8;
const ODD_XIDS = [0, -3, -4, -8, -100, 2147483647, -2147483648];
const FRAME_BYTES_MAX = 1_048_575;

/** Session timeouts far beyond the duration of a run: expiry at a moment of its own choice cannot be compared. */
const TIMEOUTS_MS = [0, -1, 700_000, 900_000, 2_000_000_000];

export class Generator {
  private readonly prng: Prng;
  private readonly source: RequestSource;
  private readonly slots: SlotState[] = [];
  private planned: Step | undefined;
  private probe: { readonly slot: number; readonly path: string | null } | undefined;

  constructor(seed: number) {
    this.prng = new Prng(seed);
    this.source = new RequestSource(this.prng);
    for (let i = 0; i < SLOT_COUNT; i++) {
      this.slots.push({ open: false, hasSession: false, authIds: 0, nextXid: 1 });
    }
  }

  next(): Step {
    if (this.planned !== undefined) {
      const step = this.planned;
      this.planned = undefined;
      return step;
    }
    const slot = this.prng.below(SLOT_COUNT);
    if (!this.slots[slot]!.open) return this.open(slot);
    const kind = this.prng.below(1000);
    if (kind < 700) return this.burst(slot);
    if (kind < 790) return this.existsInPrivate(slot);
    if (kind < 880) return this.single(slot, this.malformed());
    if (kind < 920) return this.single(slot, this.auth(slot));
    if (kind < 940) return this.single(slot, this.ending());
    if (kind < 950)
      return this.single(slot, { op: OpCode.sasl, body: new Uint8Array([0, 0, 0, 0]), label: 'sasl' });
    if (kind < 970) return this.open(slot);
    if (kind < 985) return { kind: 'drop', slot };
    return this.garbage(slot);
  }

  /** `outcome` is the oracle's. */
  observe(step: Step, outcome: StepOutcome): void {
    this.source.recentZxid = outcome.zxidAfter;
    for (const { slot, closed } of outcome.received) if (closed && slot >= 0) this.slots[slot]!.open = false;
    if (step.kind === 'drop') this.slots[step.slot]!.open = false;
    if (step.kind === 'open') this.observeOpen(step.slot, outcome);
    if (step.kind !== 'requests') return;
    const replies = outcome.received[0]!.frames.filter((frame): frame is NormalReply => 'op' in frame);
    for (const request of step.requests) {
      const reply = replies.find((candidate) => candidate.xid === request.xid);
      if (reply === undefined || reply.err !== ErrorCode.ok) continue;
      if (request.op === OpCode.auth) this.slots[step.slot]!.authIds++;
      else if (request.op === OpCode.multi) this.observeMulti(request, reply);
      else if (request.effects !== undefined) this.apply(request.effects[0]!, reply.body);
    }
    if (this.probe !== undefined) this.planExists(replies[0]!);
  }

  private observeOpen(slotIndex: number, outcome: StepOutcome): void {
    const slot = this.slots[slotIndex]!;
    const session = outcome.connect?.['session'];
    slot.open = session !== undefined && session !== 'none';
    slot.authIds = 0;
    slot.hasSession ||= slot.open;
  }

  private observeMulti(request: Request, reply: NormalReply): void {
    const results = reply.body as { type: number; result?: unknown }[];
    if (results.some((result, index) => result.type === -1 && index < results.length - 1)) return;
    request.effects!.forEach((effect, index) => {
      this.apply(effect, results[index]?.result);
    });
  }

  private apply(effect: Effect, body: unknown): void {
    const { nodes } = this.source;
    const result = body as { path?: string; stat?: NormalStat } | undefined;
    switch (effect.op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        if (typeof result?.path !== 'string') break;
        if (material.QUOTA_PATHS.includes(result.path)) this.source.quotaNodes.add(result.path);
        else nodes.set(result.path, { version: 0, aversion: 0 });
        break;
      case OpCode.delete:
        nodes.delete(effect.path ?? '');
        this.source.quotaNodes.delete(effect.path ?? '');
        break;
      case OpCode.setData:
      case OpCode.setAcl: {
        const stat = result?.stat;
        if (stat !== undefined && effect.path !== null) {
          nodes.set(effect.path, { version: stat.version, aversion: stat.aversion });
        }
        break;
      }
    }
  }

  private burst(slot: number): Step {
    const requests: Request[] = [];
    for (let i = this.prng.chance(0.4) ? 1 : 1 + this.prng.below(BURST_MAX); i > 0; i--) {
      const draft = this.draft(slot);
      requests.push(this.number(slot, draft, requests.length === 0));
      if (endsBurst(draft)) break;
    }
    return { kind: 'requests', slot, requests };
  }

  private single(slot: number, draft: Draft): Step {
    return { kind: 'requests', slot, requests: [this.number(slot, draft, true)] };
  }

  private draft(slot: number): Draft {
    const { source } = this;
    const { authIds } = this.slots[slot]!;
    const kind = this.prng.below(100);
    if (kind < 24) return source.create(authIds);
    if (kind < 34) return source.delete();
    if (kind < 44) return source.setData();
    if (kind < 49) return source.setAcl(authIds);
    if (kind < 67) return source.read(slot);
    if (kind < 74) return source.query();
    if (kind < 79) return source.addWatch(slot);
    if (kind < 81) return source.checkWatches(slot);
    if (kind < 83) return source.removeWatches(slot);
    if (kind < 86) return source.setWatches(slot);
    if (kind < 94) return source.multi(authIds);
    if (kind < 96) return source.multiRead();
    if (kind < 99) return source.quota();
    return source.reconfig();
  }

  /**
   * `exists` where reading may be forbidden: the baseline answers and sets the watch, ours refuses both. So a getData
   * asks first whether this client may read, and the watch is left out if not (`planExists`).
   */
  private existsInPrivate(slot: number): Step {
    const path = this.source.path();
    this.probe = { slot, path };
    return this.single(slot, {
      op: OpCode.getData,
      body: bodies.pathAndBool(path, false),
      label: `getData ${quote(path)}`,
    });
  }

  private planExists(reply: NormalReply): void {
    const { slot, path } = this.probe!;
    this.probe = undefined;
    if (!this.slots[slot]!.open) return;
    const denied = reply.err === ErrorCode.noAuth;
    const watch = !denied && watchClass(slot, path) === WatchClass.standard;
    this.planned = this.single(slot, {
      op: OpCode.exists,
      body: bodies.pathAndBool(path, watch),
      label: `exists ${quote(path)}${watch ? ' watch' : ''}`,
      existsDenied: denied,
    });
  }

  private auth(slot: number): Draft {
    const scheme = this.prng.chance(0.9) ? 'digest' : this.prng.pick(['ip', 'world', 'nosuch', '', null]);
    const credential = this.prng.pick(
      this.slots[slot]!.authIds < 3 ? material.CREDENTIALS : ['alice:secret'],
    );
    const body = bodies.auth(scheme, new TextEncoder().encode(credential));
    return { op: OpCode.auth, body, label: `auth ${scheme} ${credential}` };
  }

  /** Requests after which the server closes the connection. */
  private ending(): Draft {
    const op = this.prng.chance(0.6)
      ? OpCode.closeSession
      : this.prng.pick([-1, 0, 10, 23, 99, 108, 1000, -12, 2 ** 31 - 1]);
    return {
      op,
      body: new Uint8Array(0),
      label: op === OpCode.closeSession ? 'closeSession' : `opcode ${op}`,
      ends: true,
    };
  }

  /** A well-formed request cut short, or with bytes changed or added behind it. */
  private malformed(): Draft {
    const { source, prng } = this;
    const draft = prng.pick([
      () => source.create(2),
      () => source.setData(),
      () => source.setAcl(2),
      () => source.multi(2),
      () => source.multiRead(),
      () => source.delete(),
    ])();
    const trailing = prng.chance(0.2);
    const length = trailing ? draft.body.length + 1 + prng.below(9) : prng.below(draft.body.length);
    const body = new Uint8Array(length);
    body.set(draft.body.subarray(0, length));
    const label = `${opName(draft.op)} with ${length} of ${draft.body.length} bytes (${draft.label})`;
    return trailing && draft.effects !== undefined
      ? { op: draft.op, body, label, effects: draft.effects }
      : { op: draft.op, body, label };
  }

  private open(slot: number): Step {
    const state = this.slots[slot]!;
    const modes = state.hasSession
      ? [OpenMode.reconnect, OpenMode.reconnect, OpenMode.reconnect, OpenMode.fresh, OpenMode.wrongPassword]
      : [OpenMode.fresh, OpenMode.fresh, OpenMode.fresh, OpenMode.fresh, OpenMode.unknownSession];
    const mode = this.prng.chance(0.05) ? OpenMode.aheadOfServer : this.prng.pick(modes);
    const readOnly = this.prng.pick([undefined, false, true]);
    return { kind: 'open', slot, mode, timeoutMs: this.prng.pick(TIMEOUTS_MS), readOnly };
  }

  private garbage(slot: number): Step {
    const length = this.prng.pick([-1, -2147483648, FRAME_BYTES_MAX + 1, 0, 4, 7]);
    const withSession = length !== 0 && length !== 4 && this.prng.chance(0.5);
    const bytes = new Uint8Array(4 + (length > 0 && length < 16 ? length : 0));
    new DataView(bytes.buffer).setInt32(0, length);
    return {
      kind: 'garbage',
      slot: withSession ? slot : undefined,
      bytes,
      label: `a frame of length ${length}`,
    };
  }

  /** Odd xids go to the first of a burst only, so that no two of one burst are equal. */
  private number(slot: number, draft: Draft, first: boolean): Request {
    const state = this.slots[slot]!;
    const xid = first && this.prng.chance(0.03) ? this.prng.pick(ODD_XIDS) : state.nextXid;
    state.nextXid++;
    return { ...draft, xid };
  }
}

/**
 * What the baseline decides by a race with its own pipeline: a write behind a setACL of the same znode may meet the old
 * ACL or the new one, and quotas are compared with statistics that outstanding writes have not reached yet. Nothing
 * is pipelined behind such requests.
 */
function endsBurst(draft: Draft): boolean {
  if (draft.op === OpCode.setAcl) return true;
  return (
    draft.effects?.some(({ path }) => path !== null && /^\/(q|zookeeper\/quota)(\/|$)/.test(path)) ?? false
  );
}
