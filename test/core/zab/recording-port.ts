/** A learner's surroundings that answer at once, unless told to wait, and write down what was asked of them. */
import { hex64, joinHalves } from '../../../src/base/int64.ts';
import { type Zxid, zxidHex } from '../../../src/base/zxid.ts';
import {
  type EpochKind,
  Learner,
  type LearnerOptions,
  type LearnerPort,
} from '../../../src/core/zab/learner.ts';
import {
  type PacketHandler,
  PacketSplitter,
  PacketStatus,
} from '../../../src/wire/quorum/packet-splitter.ts';
import { type PacketType, packetTypeName } from '../../../src/wire/quorum/packet-types.ts';
import type { QuorumPacket } from '../../../src/wire/quorum/quorum-packet.ts';

const TREE_END = Buffer.from('BenWasHere');

export class RecordingPort implements LearnerPort, PacketHandler {
  readonly learner: Learner;
  readonly splitter = new PacketSplitter(1 << 20, this);
  /** Packets that it sends: `ACK 100000001`. */
  readonly sent: string[] = [];
  /** Everything else that it asks for. */
  readonly asked: string[] = [];
  /** Orders of these kinds are kept until `answer`. */
  readonly waits = new Set<'epoch' | 'persist' | 'log' | 'truncate'>();
  private readonly waiting: (() => void)[] = [];
  private readonly soon: (() => void)[] = [];
  private tree = Buffer.alloc(0);
  private treeZxid = 0;
  left: string | null = null;
  roomForProposals = Number.POSITIVE_INFINITY;

  constructor(options: LearnerOptions) {
    this.learner = new Learner(options, this);
    this.learner.start();
  }

  /** Bytes from the master, taken as far as the learner takes them. */
  receive(bytes: Uint8Array): void {
    this.splitter.push(bytes);
    this.goOn();
  }

  /** Lets the oldest kept order be done. */
  answer(): void {
    this.waiting.shift()!();
    this.goOn();
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  private goOn(): void {
    // A handler's answer within its own call makes room; one look more is enough.
    for (let before = -1; before !== this.splitter.bufferedBytes; ) {
      before = this.splitter.bufferedBytes;
      if (this.splitter.resume() !== PacketStatus.stopped) return;
    }
  }

  private later(kind: 'epoch' | 'persist' | 'log' | 'truncate', work: () => void): void {
    (this.waits.has(kind) ? this.waiting : this.soon).push(work);
  }

  onPacket(packet: QuorumPacket): boolean {
    const isTaken = this.learner.onPacket(packet);
    // As everywhere: nothing is answered within the call that asks for it.
    for (let work = this.soon.shift(); work !== undefined; work = this.soon.shift()) work();
    return isTaken;
  }

  onRaw(bytes: Uint8Array, _view: DataView, start: number, end: number): number {
    this.tree = Buffer.concat([this.tree, bytes.slice(start, end)]);
    const at = this.tree.indexOf(TREE_END);
    if (at < 0) return end - start;
    const over = this.tree.length - (at + TREE_END.length);
    this.splitter.endRaw();
    this.learner.onLoaded(this.treeZxid);
    return end - start - over;
  }

  // ---- LearnerPort
  sendInfo(type: PacketType, zxid: Zxid): void {
    this.sent.push(`${packetTypeName(type)} ${zxidHex(zxid)}`);
  }
  sendAckEpoch(lastZxid: Zxid, currentEpoch: number): void {
    this.sent.push(`ACKEPOCH ${zxidHex(lastZxid)} ${currentEpoch}`);
  }
  sendAck(zxid: Zxid): void {
    this.sent.push(`ACK ${zxidHex(zxid)}`);
  }
  sendTouches(zxid: Zxid): void {
    this.sent.push(`PING ${zxidHex(zxid)}`);
  }
  saveEpoch(kind: EpochKind, epoch: number): void {
    this.asked.push(`save ${kind} epoch ${epoch}`);
    this.later('epoch', () => this.learner.onEpochSaved(kind));
  }
  truncate(zxid: Zxid): void {
    this.asked.push(`truncate ${zxidHex(zxid)}`);
    this.later('truncate', () => this.learner.onTruncated(zxid));
  }
  persist(withSnapshot: boolean): void {
    this.asked.push(withSnapshot ? 'persist with a snapshot' : 'persist');
    this.later('persist', () => this.learner.onPersisted());
  }
  beginSnapshot(zxid: Zxid): void {
    this.asked.push(`load ${zxidHex(zxid)}`);
    this.treeZxid = zxid;
    this.splitter.beginRaw();
  }
  propose(zxid: Zxid): boolean {
    if (this.roomForProposals === 0) return false;
    this.roomForProposals--;
    this.asked.push(`propose ${zxidHex(zxid)}`);
    this.later('log', () => this.learner.onDurable(zxid));
    return true;
  }
  commit(zxid: Zxid): void {
    this.asked.push(`commit ${zxidHex(zxid)}`);
  }
  activate(zxid: Zxid, designated: number): void {
    this.asked.push(`activate ${zxidHex(zxid)} led by ${designated}`);
  }
  onConfig(bytes: Uint8Array, start: number, end: number): void {
    const lines = Buffer.from(bytes.slice(start, end)).toString().split('\n');
    this.asked.push(`config of ${lines.length} lines, ${lines.at(-1)}`);
  }
  onSynced(): void {
    this.asked.push('synced');
  }
  onRevalidated(high: number, low: number, isValid: boolean): void {
    this.asked.push(`session ${hex64(joinHalves(high, low))} is ${isValid ? 'valid' : 'gone'}`);
  }
  serve(epoch: number): void {
    this.asked.push(`serve in epoch ${epoch}`);
  }
  leave(reason: string): void {
    this.left = reason;
  }
}
