/**
 * How far the replica has come: one object, shared by reference by all that propose, commit, answer or wait. Core
 * thread. In typed arrays, so that no zxid is ever a boxed number (base/zxid.ts).
 *
 *     committed  ≤  decided  ≤  proposed                     durable ≤ proposed
 *
 *     proposed    the newest zxid given out or received; set by whoever pushes a proposal
 *     durable     on this server's stable storage; set by the log
 *     decided     may be committed: a quorum has it (commit-point.ts)
 *     committed   published to clients, carried by every reply; set by the committer
 */
import { assert, unreachable } from '../../base/assert.ts';
import { epochOf, firstZxidOf, lastZxidOf, type Zxid, zxidHex } from '../../base/zxid.ts';

const PROPOSED = 0;
const DURABLE = 1;
const DECIDED = 2;
const COMMITTED = 3;
/** The last zxid of the epoch that `proposed` is in. */
const EPOCH_END = 4;
const FIELDS = 5;

export class Progress {
  private readonly zxids = new Float64Array(FIELDS);

  constructor() {
    this.restart(0);
  }

  /** Everything up to here is committed and durable, nothing is in flight. */
  restart(zxid: Zxid): void {
    this.zxids.fill(zxid);
    this.zxids[EPOCH_END] = lastZxidOf(epochOf(zxid));
  }

  get proposed(): Zxid {
    return this.zxids[PROPOSED]!;
  }

  get durable(): Zxid {
    return this.zxids[DURABLE]!;
  }

  get decided(): Zxid {
    return this.zxids[DECIDED]!;
  }

  get committed(): Zxid {
    return this.zxids[COMMITTED]!;
  }

  /**
   * The zxid for the next proposal; not taken yet. At the end of an epoch's counter the next epoch begins, which is for
   * a server without peers to decide alone; a leader of an ensemble finds its log shut there, and resigns.
   * @throws AssertionFailure at the end of the last epoch (2^21 of them): no zxid may be given out twice.
   */
  nextZxid(): Zxid {
    const proposed = this.zxids[PROPOSED]!;
    return proposed < this.zxids[EPOCH_END]! ? proposed + 1 : firstZxidOf(epochOf(proposed) + 1);
  }

  /** All that was proposed is of earlier epochs; this server gives out the zxids behind `zxid`, the beginning of its own. */
  beginEpoch(zxid: Zxid): void {
    this.onProposed(zxid);
  }

  onProposed(zxid: Zxid): void {
    if (!(zxid > this.zxids[PROPOSED]!)) unreachable(`zxid 0x${zxidHex(zxid)} is proposed out of order`);
    this.zxids[PROPOSED] = zxid;
    if (zxid > this.zxids[EPOCH_END]!) this.zxids[EPOCH_END] = lastZxidOf(epochOf(zxid));
  }

  /** The newest proposals have been taken back: `zxid` is the newest again. */
  onWithdrawn(zxid: Zxid): void {
    assert(zxid >= this.zxids[COMMITTED]! && zxid >= this.zxids[DECIDED]!, 'what is decided is withdrawn');
    this.zxids[PROPOSED] = zxid;
    this.zxids[EPOCH_END] = lastZxidOf(epochOf(zxid));
    if (this.zxids[DURABLE]! > zxid) this.zxids[DURABLE] = zxid;
  }

  /** Also called with zxids that are known already. */
  onDurable(zxid: Zxid): void {
    if (zxid > this.zxids[DURABLE]!) this.zxids[DURABLE] = zxid;
  }

  onDecided(zxid: Zxid): void {
    if (zxid > this.zxids[DECIDED]!) this.zxids[DECIDED] = zxid;
  }

  onCommitted(zxid: Zxid): void {
    this.zxids[COMMITTED] = zxid;
  }
}
