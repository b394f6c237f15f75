/**
 * A leader and its learners as machines, the packets between them and the orders to their disks, moved by hand.
 *
 *     servers 1 2 3 4:observer       an ensemble; nobody has any history
 *     history 2 1.1 1.2 accepted=1 current=1    what a server has logged (epoch.counter), and its epochs
 *     memory 1.2                     the leader remembers only what follows; the rest is asked of a log that has been purged
 *     ours 1 2                       servers of this project: to each other they say so
 *     lead 1                         has been elected
 *     join 2 3                       connect to the leader, as follower or observer
 *     deliver [1->2]                 packets arrive, and what is sent thereupon; or only what is there of one pair
 *     disk 1 2                       what these servers have ordered of their disks is done
 *     write 2                        the leader proposes so many transactions
 *     tick 4                         so many half ticks pass at the leader
 *     cut 2                          the connection of a learner ends
 *     send 2 ACK 2.7                 a learner sends a packet of its own accord
 */
import assert from 'node:assert/strict';
import type { Zxid } from '../../src/base/zxid.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../src/core/quorum/quorum-config.ts';
import { Leader } from '../../src/core/zab/leader.ts';
import { type EpochKind, Learner } from '../../src/core/zab/learner.ts';
import type { LinkId } from '../../src/core/zab/learner-record.ts';
import { ProposalLog } from '../../src/core/zab/proposal-log.ts';
import { planFromLog, type SyncPlan } from '../../src/core/zab/sync-plan.ts';
import { PacketSplitter } from '../../src/wire/quorum/packet-splitter.ts';
import { PacketType, packetTypeName } from '../../src/wire/quorum/packet-types.ts';
import { viewOf } from '../wire/bytes.ts';
import { packetBytes } from '../wire/quorum/packets.ts';
import type { TranscriptWorld } from './transcript.ts';
import { Host, LeaderOrders, LearnerOrders, type OrdersWorld, text, zxidOf } from './zab-orders.ts';

const RULES = { trusts: true, readsLog: true };
const PACKET_BYTES_MAX = 1 << 16;

/** A connection; packets under way, each way. */
interface Wire {
  readonly id: LinkId;
  readonly host: Host;
  readonly learner: Learner;
  readonly toLeader: PacketSplitter;
  readonly toLearner: PacketSplitter;
  readonly underWay: { readonly isToLeader: boolean; readonly bytes: Uint8Array }[];
}

export class ZabWorld implements TranscriptWorld, OrdersWorld {
  private lines: string[] = [];
  private readonly hosts = new Map<number, Host>();
  private config: QuorumConfig = parseQuorumConfig('');
  private memoryFrom: Zxid = 0;
  private readonly wires = new Map<LinkId, Wire>();
  private leader: Leader | null = null;
  private head: Host = new Host(0, false);
  private nextLink = 1;
  private decided: Zxid = 0;
  private proposed: Zxid = -1;

  run(command: string, words: readonly string[]): readonly string[] {
    this.lines = [];
    const [first = ''] = words;
    if (command === 'servers') this.servers(words);
    else if (command === 'history') this.history(words);
    else if (command === 'memory') this.memoryFrom = zxidOf(first);
    else if (command === 'ours') for (const sid of words) this.host(sid).isOurs = true;
    else if (command === 'lead') this.lead(Number(first));
    else if (command === 'join') for (const sid of words) this.join(this.host(sid));
    else if (command === 'deliver') this.deliver(first);
    else if (command === 'disk') for (const sid of words) this.disk(this.host(sid));
    else if (command === 'write') this.write(Number(first));
    else if (command === 'tick') for (let i = 0; i < Number(first); i++) this.leader!.onHalfTick();
    else if (command === 'cut') this.cut(this.wireOf(first));
    else if (command === 'send') this.sendOwn(first, words[1]!, zxidOf(words[2]!));
    else assert.fail(`no command ${command}`);
    this.leader?.endTurn();
    return [...this.lines];
  }

  say(line: string): void {
    this.lines.push(line);
  }

  // ---- commands ----------------------------------------------------------------------------------------------

  private servers(words: readonly string[]): void {
    const lines = words.map((word) => {
      const [sid, role = 'participant'] = word.split(':');
      this.hosts.set(Number(sid), new Host(Number(sid), role === 'observer'));
      return `server.${sid}=s${sid}:1:2:${role}`;
    });
    this.config = parseQuorumConfig(lines.join('\n'));
  }

  private history([sid, ...words]: readonly string[]): void {
    const host = this.host(sid!);
    host.history = words.filter((word) => !word.includes('=')).map(zxidOf);
    for (const word of words) {
      const [key, value] = word.split('=');
      if (value !== undefined) host.epochs[key as EpochKind] = Number(value);
    }
  }

  private lead(sid: number): void {
    const host = this.host(String(sid));
    this.head = host;
    const log = new ProposalLog(1 << 16, 64);
    log.restart(this.memoryFrom);
    for (const zxid of host.history) if (zxid > this.memoryFrom) log.append(zxid, new Uint8Array(8), 0, 8);
    this.decided = host.lastZxid;
    this.leader = new Leader(
      {
        sid,
        committed: this.config,
        lastSeen: this.config,
        acceptedEpoch: host.epochs.accepted,
        currentEpoch: host.epochs.current,
        lastZxid: host.lastZxid,
        initLimit: 10,
        syncLimit: 5,
        rules: RULES,
      },
      log,
      new LeaderOrders(this, host),
    );
    this.leader.start();
  }

  private join(host: Host): void {
    const id = this.nextLink++;
    const { accepted, current } = host.epochs;
    const port = new LearnerOrders(this, host, id);
    const learner = new Learner(
      {
        isObserver: host.isObserver,
        acceptedEpoch: accepted,
        currentEpoch: current,
        lastZxid: host.lastZxid,
      },
      port,
    );
    const wire: Wire = {
      id,
      host,
      learner,
      toLeader: new PacketSplitter(PACKET_BYTES_MAX, {
        onPacket: (packet) => this.leader!.onPacket(id, packet),
        onRaw: () => 0,
      }),
      toLearner: new PacketSplitter(PACKET_BYTES_MAX, {
        onPacket: (packet) => learner.onPacket(packet),
        onRaw: (_bytes, _view, start, end) => this.takeTree(wire, end - start),
      }),
      underWay: [],
    };
    this.wires.set(id, wire);
    this.leader!.onConnect(id);
    learner.start();
  }

  private deliver(pair: string): void {
    const wanted = pair === '' ? null : pair.split('->').map(Number);
    for (let isDone = false; !isDone; ) {
      isDone = true;
      for (const wire of [...this.wires.values()]) {
        const isToLeader = wanted?.[1] === this.head.sid;
        if (wanted !== null && wire.host.sid !== wanted[isToLeader ? 0 : 1]) continue;
        const at = wire.underWay.findIndex((one) => wanted === null || one.isToLeader === isToLeader);
        if (at === -1) continue;
        const [{ bytes, isToLeader: toLeader }] = wire.underWay.splice(at, 1) as [Wire['underWay'][number]];
        (toLeader ? wire.toLeader : wire.toLearner).push(bytes);
        this.leader!.endTurn();
        isDone = false;
      }
    }
  }

  private disk(host: Host): void {
    for (let order = host.orders.shift(); order !== undefined; order = host.orders.shift()) order();
    for (const wire of this.wires.values()) {
      if (wire.host !== host) continue;
      // As a log thread does: once, for all that it has written.
      wire.learner.onDurable(host.lastZxid);
      wire.toLearner.resume();
    }
  }

  private write(count: number): void {
    for (let i = 0; i < count; i++) {
      const zxid = this.proposed + 1;
      this.proposed = zxid;
      const { head, leader } = this;
      this.say(`${head.sid} proposes ${text(zxid)}`);
      head.orders.push(() => {
        head.history.push(zxid);
        leader!.onDurable(zxid);
      });
      leader!.onProposed(zxid, new Uint8Array(8), 0, 8);
    }
  }

  private cut(wire: Wire): void {
    this.wires.delete(wire.id);
    wire.learner.end();
    wire.host.orders = [];
    this.leader!.onDisconnect(wire.id);
  }

  private sendOwn(sid: string, name: string, zxid: Zxid): void {
    const type = Object.values(PacketType).find((one) => packetTypeName(one) === name);
    assert.ok(type !== undefined, name);
    this.toLeader(this.wireOf(sid).id, type, zxid, null);
  }

  // ---- for the ports -----------------------------------------------------------------------------------------

  toLeader(id: LinkId, type: PacketType, zxid: Zxid, data: Uint8Array | null, note = ''): void {
    const wire = this.wires.get(id)!;
    this.say(`${wire.host.sid} sends ${packetTypeName(type)} ${text(zxid)}${note}`);
    wire.underWay.push({ isToLeader: true, bytes: packetBytes(type, zxid, data) });
  }

  toLearner(id: LinkId, type: PacketType, zxid: Zxid, data: Uint8Array | null): void {
    const wire = this.wires.get(id);
    if (wire === undefined) return;
    this.say(
      `${this.head.sid} sends ${wire.host.sid} ${packetTypeName(type)}${zxid === -1 ? '' : ` ${text(zxid)}`}`,
    );
    wire.underWay.push({ isToLeader: false, bytes: packetBytes(type, zxid, data) });
  }

  /** What is committed follows what the plan leaves to the learner, in pairs. */
  synchronise(id: LinkId, peer: Zxid, plan: SyncPlan): void {
    const committed = this.head.history.filter((zxid) => zxid <= this.decided);
    const last = committed.at(-1) ?? 0;
    const chosen =
      plan.kind === 'log'
        ? planFromLog(peer, { reachesBackTo: () => false, floorOf: () => 0, nextZxid: () => -1 }, RULES)
        : plan;
    if (chosen.kind === 'snap' || chosen.kind === 'log') {
      this.toLearner(id, PacketType.snap, last, null);
      this.wires.get(id)?.underWay.push({ isToLeader: false, bytes: new Uint8Array(1) });
    } else {
      const from = chosen.kind === 'trunc' ? chosen.to : chosen.from;
      if (chosen.kind === 'trunc') this.toLearner(id, PacketType.trunc, from, null);
      else this.toLearner(id, PacketType.diff, last, null);
      for (const zxid of committed) {
        if (zxid <= from) continue;
        this.toLearner(id, PacketType.proposal, zxid, new Uint8Array(8));
        this.toLearner(id, PacketType.commit, zxid, null);
      }
    }
    this.leader!.onSynced(id, last);
  }

  /** The leader's stream, a packet each. */
  stream(id: LinkId): void {
    const bytes = new Uint8Array(PACKET_BYTES_MAX);
    const end = this.leader!.fillStream(id, bytes, viewOf(bytes), 0, bytes.length);
    const splitter = new PacketSplitter(PACKET_BYTES_MAX, {
      onPacket: ({ type, zxid, bytes: from, dataStart, dataEnd, dataLength }) => {
        this.toLearner(id, type as PacketType, zxid, dataLength < 0 ? null : from.slice(dataStart, dataEnd));
        return true;
      },
      onRaw: () => 0,
    });
    splitter.push(bytes.slice(0, end));
  }

  leaderSaved(kind: EpochKind): void {
    this.leader!.onEpochSaved(kind);
  }

  onLead(zxid: Zxid): void {
    this.proposed = zxid;
    this.decided = Math.max(this.decided, zxid);
  }

  onDecided(zxid: Zxid): void {
    this.decided = zxid;
  }

  close(id: LinkId): void {
    const wire = this.wires.get(id);
    this.wires.delete(id);
    wire?.learner.end();
  }

  sidOf(id: LinkId): number {
    return this.wires.get(id)?.host.sid ?? -1;
  }

  beginTree(id: LinkId): void {
    this.wires.get(id)!.toLearner.beginRaw();
  }

  done(id: LinkId, tell: (learner: Learner) => void): void {
    const wire = this.wires.get(id);
    if (wire !== undefined) tell(wire.learner);
  }

  /** One byte stands for all of it. */
  private takeTree(wire: Wire, length: number): number {
    if (length === 0) return 0;
    wire.toLearner.endRaw();
    const { host } = wire;
    const tree = this.head.history.filter((zxid) => zxid <= this.decided);
    this.say(`${host.sid} has the tree of ${text(tree.at(-1) ?? 0)}`);
    host.orders.push(() => {
      host.history = tree;
      wire.learner.onLoaded(host.lastZxid);
    });
    return 1;
  }

  private host(sid: string): Host {
    const host = this.hosts.get(Number(sid));
    assert.ok(host !== undefined, `no server ${sid}`);
    return host;
  }

  private wireOf(sid: string): Wire {
    const wire = [...this.wires.values()].find(({ host }) => host.sid === Number(sid));
    assert.ok(wire !== undefined, `server ${sid} is not connected`);
    return wire;
  }
}
