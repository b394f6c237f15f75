/**
 * multiRead: values and lists of many znodes in one reply, all of one moment. A short one is looked up at once; a long one in
 * slices of the core's turns, over a copy of the request, and nothing is committed meanwhile (`LargeReply.isNoting`):
 *
 *     look up   path after path: what the reply is made of, lists as one item each
 *     note      the names in the lists      then measured, copied and sent as any large reply
 *
 * Core thread; called by read-ops.ts.
 */
import { assert } from '../../base/assert.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { MultiRequest } from '../../wire/multi.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { Client } from '../client/client.ts';
import type { Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
import { NEXT_TURN, type TurnWork, Work } from '../progress/turn-work.ts';
import type { LargeReply, Noting } from './large-reply.ts';
import type { PathLookup } from './path-lookup.ts';
import { ReplyPlan } from './reply-plan.ts';

/**
 * A multiRead may name the same large node in every operation: 1 MB of requests for 60 GB of reply. Far more than any
 * client takes in one frame; no more than one node beyond this is noted. Names are noted before they are measured.
 */
const BYTES_MAX = 64 * 1024 * 1024;
const NAMES_MAX = 1_000_000;
/** A path to look up is as much work as so many names. */
const UNITS_PER_LOOKUP = 8;
/** Up to so many are looked up at once, and up to so few whatever the turn has done. */
const AT_ONCE_MAX = 256;
const SHORT_MAX = 16;

/** How the looking up has come out; `later`: an ACL check had no time left in the turn. */
type Found = 'all' | 'more' | 'later' | 'tooMuch';

export class MultiRead {
  private readonly lookup: PathLookup;
  private readonly work: TurnWork;
  private readonly replier: Replier;
  private readonly largeReply: LargeReply;
  private readonly asked = new MultiRequest();

  constructor(lookup: PathLookup, work: TurnWork, replier: Replier, largeReply: LargeReply) {
    this.lookup = lookup;
    this.work = work;
    this.replier = replier;
    this.largeReply = largeReply;
  }

  /** False: another large reply is being made, or the turn has no time left; nothing has happened. */
  answer(request: RequestView): boolean {
    const { asked, largeReply, work } = this;
    const { client, bytes, view, start, end } = request;
    if (!asked.wrapRead(bytes, view, start, end)) {
      this.replier.header(request, ErrorCode.marshallingError);
      return true;
    }
    const { count } = asked;
    if (largeReply.mustWait(count * UNITS_PER_LOOKUP)) return false;
    if (work.isSpent && count > SHORT_MAX) return false;
    if (count > AT_ONCE_MAX) {
      largeReply.start(request, null, 2 * BYTES_MAX, this.inSlices(request));
      return true;
    }
    const plan = largeReply.begin();
    work.charge(Work.listEntries, count * UNITS_PER_LOOKUP);
    // All of it is of one moment: what has to wait begins anew, and what has been checked so far is known then.
    const found = this.find(client, asked, plan, count);
    if (found === 'later') return false;
    if (found === 'tooMuch') {
      this.replier.header(request, ErrorCode.marshallingError);
      return true;
    }
    plan.end();
    if (largeReply.mustWait(plan.work)) return false;
    largeReply.send(request, 2 * BYTES_MAX);
    return true;
  }

  private inSlices({ client, bytes, start, end }: RequestView): Noting {
    // Not `slice`: that of a Buffer, which the io side may lend, copies nothing.
    const own = new Uint8Array(end - start);
    copyBytes(bytes, start, own.length, own, 0);
    const asked = new MultiRequest();
    const isWhole = asked.wrapRead(own, new DataView(own.buffer), 0, own.length);
    assert(isWhole, 'the copy of a sound multiRead');
    const found = new ReplyPlan();
    let names: Noting | null = null;
    return (plan, itemsMax) => {
      if (names !== null) return names(plan, itemsMax);
      const outcome = this.find(client, asked, found, itemsMax / UNITS_PER_LOOKUP);
      if (outcome === 'tooMuch') plan.refuse();
      if (outcome === 'all') {
        found.end();
        names = this.largeReply.namesOf(found);
      }
      return outcome === 'tooMuch';
    };
  }

  private find(client: Client, asked: MultiRequest, plan: ReplyPlan, lookupsMax: number): Found {
    const { lookup } = this;
    const { node } = lookup;
    for (let left = lookupsMax; asked.remaining > 0; left--) {
      if (left <= 0) return 'more';
      asked.next();
      const named = asked.pathWatch;
      const err = lookup.findReadable(client, named.bytes, named.pathStart, named.pathLength);
      if (err === NEXT_TURN) {
        asked.stepBack();
        return 'later';
      }
      if (err !== ErrorCode.ok) {
        plan.error(err);
      } else if (asked.op === OpCode.getData) {
        plan.header(OpCode.getData);
        plan.body(node.offset, node.bodyLength);
      } else if (plan.nodes + node.numChildren > NAMES_MAX) {
        return 'tooMuch';
      } else {
        plan.header(OpCode.getChildren);
        plan.list(node.nodeId, node.numChildren);
      }
      if (plan.bodyBytes > BYTES_MAX) return 'tooMuch';
    }
    return 'all';
  }
}
