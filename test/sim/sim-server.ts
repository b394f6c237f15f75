/**
 * One machine with a server on it, one process after the other. Crashes, power losses and pauses come from outside.
 *
 *     down ──start──▶ starting ──▶ up ──crash · powerLoss · stop · a failure──▶ down
 */
import type { ServerConfig } from '../../src/server/config/server-config.ts';
import { MemoryDisk } from '../storage/support/memory-disk.ts';
import type { Ended, Machine, PeerPorts, ServerObserver } from './machine.ts';
import type { NetworkHost, SimConnection, SimListener } from './sim-network.ts';
import { SimProcess } from './sim-process.ts';
import type { Mischief } from './variants.ts';
import type { World } from './world.ts';

/** Of the pauses: of one thread. */
const ALONE_SHARE = 0.3;

/** The machine's kernel, beside what the process asks of it. */
interface KernelPorts extends PeerPorts {
  processDied(): void;
  powerLost(): void;
  powerOn(): void;
}

export class SimServer implements NetworkHost, Machine {
  disk: MemoryDisk = new MemoryDisk();
  readonly listeners: SimListener[] = [];
  /** Set when the server of the current incarnation has ended by itself. */
  ended: Ended | null = null;
  readonly world: World;
  readonly variant: Mischief;
  readonly observer: ServerObserver;
  readonly connections = new Set<SimConnection>();
  /** Of the log thread's turns; changes with the weather. */
  diskMsMax = 1;
  /** How often the proposal ring had hardly any room. */
  fullRings = 0;
  private process: SimProcess | null = null;
  private readonly directBlockBytes: number;
  /** Something of it stands still until then. */
  pausedUntilMs = 0;
  private hasPower = true;
  private incarnations = 0;
  readonly peers: KernelPorts | null;
  readonly ownName: string;

  /** `peers`: of a machine among others. */
  constructor(
    world: World,
    variant: Mischief,
    observer: ServerObserver,
    name = 'server',
    peers: KernelPorts | null = null,
  ) {
    this.ownName = name;
    this.peers = peers;
    this.world = world;
    this.variant = variant;
    this.observer = observer;
    this.directBlockBytes = world.prng.pick([1, 4096]);
  }

  get isUp(): boolean {
    return this.hasPower;
  }

  get isServing(): boolean {
    return this.listeners.length > 0;
  }

  /** Its start is over. */
  get isStarted(): boolean {
    return this.process?.isStarted === true;
  }

  get isRunning(): boolean {
    return this.process !== null;
  }

  start(config: ServerConfig): void {
    this.hasPower = true;
    this.peers?.powerOn();
    this.ended = null;
    this.disk.directBlockBytes = this.directBlockBytes;
    const name = `${this.ownName}.${++this.incarnations}`;
    this.world.trace(name, `starts (${config.threadingMode})`);
    this.process = new SimProcess(name, this, config);
    this.process.start();
  }

  /** kill -9: the page cache and what the kernel has sent stay. */
  crash(): void {
    this.world.trace(this.name, 'is killed');
    for (const connection of this.connections) connection.abandon();
    this.peers?.processDied();
    this.leave();
  }

  /** Also from within a call of the disk. */
  powerLoss(): void {
    this.world.trace(this.name, 'loses power');
    this.hasPower = false;
    for (const connection of this.connections) connection.forget();
    this.peers?.powerLost();
    this.leave();
    this.disk = this.disk.crash(this.world.prng);
  }

  /** The power goes before one of the next changing calls of the disk. */
  powerLossWithin(calls: number): void {
    if (this.process !== null) this.process.disk.callsLeft = calls;
  }

  /** What was going to go wrong does not. */
  calm(): void {
    this.powerLossWithin(Number.POSITIVE_INFINITY);
    this.disk.syncsLeft = Number.POSITIVE_INFINITY;
    this.disk.bytesFree = Number.POSITIVE_INFINITY;
  }

  /** SIGSTOP, or a virtual machine that is not run; or one thread gets no time. */
  pause(ms: number): void {
    const { world } = this;
    const isAlone = world.prng.chance(ALONE_SHARE);
    world.trace(this.name, `${isAlone ? 'one thread of it' : 'it'} stands still for ${Math.round(ms)} ms`);
    this.pausedUntilMs = Math.max(this.pausedUntilMs, world.nowMs + ms);
    this.observer.onPause(world.nowMs + ms, isAlone);
    this.process?.pause(world.nowMs + ms, isAlone);
  }

  /** SIGTERM; resolves when it has ended, well or not. */
  async stop(): Promise<void> {
    this.world.trace(this.name, 'is told to stop');
    // From now on it takes nothing, so it cannot know who is silent.
    this.observer.onPause(Number.POSITIVE_INFINITY, false);
    await this.process?.stop();
  }

  onHeard(connection: SimConnection): void {
    if (connection.sessionId !== 0n) this.observer.onHeard(connection.sessionId);
  }

  onUnread(connection: SimConnection): void {
    this.observer.onUnread(connection.sessionId);
  }

  /** The process of this incarnation has ended by itself. */
  onProcessEnd(process: object, ended: Ended | null): void {
    if (this.process !== process) return;
    this.world.trace(this.name, ended === null ? 'has stopped' : `ends: ${ended.message}`);
    this.ended = ended;
    for (const connection of this.connections) connection.abandon();
    this.peers?.processDied();
    this.leave();
  }

  private get name(): string {
    return this.process?.name ?? this.ownName;
  }

  private leave(): void {
    this.listeners.length = 0;
    this.connections.clear();
    this.process?.vanish();
    this.process = null;
  }
}
