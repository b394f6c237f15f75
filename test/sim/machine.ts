/** What a server's process and its threads know of the machine that they run on. */
import type { MemoryDisk } from '../storage/support/memory-disk.ts';
import type { SimListener } from './sim-network.ts';
import type { Variant } from './variants.ts';
import type { World } from './world.ts';

export interface ServerObserver {
  /** A log thread begins: the database has been recovered up to here. */
  onRecovered(zxid: number): void;
  /** The log thread has taken a transaction from its ring. */
  onProposal(zxid: number, payload: Uint8Array): void;
  /** A client's request has reached the machine. */
  onHeard(sessionId: bigint): void;
  /** Its process, or a thread of that, stands still. */
  onPause(untilMs: number, isAlone: boolean): void;
  /** And have been lost there. */
  onUnread(sessionId: bigint): void;
  onLogLine(level: string, text: string): void;
}

/** How an incarnation has ended by itself. */
export interface Ended {
  readonly message: string;
  readonly exitStatus: number;
}

export interface Machine {
  readonly world: World;
  readonly variant: Variant;
  readonly observer: ServerObserver;
  readonly disk: MemoryDisk;
  /** Of the log thread's turns; changes with the weather. */
  readonly diskMsMax: number;
  /** How often the proposal ring had hardly any room. */
  fullRings: number;
  readonly listeners: SimListener[];
  powerLoss(): void;
  /** The process has ended by itself; null = it was told to stop. */
  onProcessEnd(process: object, ended: Ended | null): void;
}
