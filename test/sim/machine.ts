/** What a server's process and its threads know of the machine that they run on. */

import type { DialHandler, DialOptions, ReadBuffer, SocketPort } from '../../src/net/transport.ts';
import type { MemoryDisk } from '../storage/support/memory-disk.ts';
import type { SimLoop } from './sim-loop.ts';
import type { SimListener } from './sim-network.ts';
import type { Mischief } from './variants.ts';
import type { World } from './world.ts';

export interface ServerObserver {
  /** A log thread begins: the database has been recovered up to here. */
  onRecovered(zxid: number): void;
  /** The log thread has taken a transaction from its ring. */
  onProposal(zxid: number, payload: Uint8Array): void;
  /** And cuts everything behind this. */
  onCut?(zxid: number): void;
  /** Its process has begun, and may begin again. */
  onProcess?(process: object): void;
  /** Its main thread has had a turn. */
  onTurn?(): void;
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

/** The ports of a machine for other servers. */
export interface PeerPorts {
  open(port: number, listener: SimListener): void;
  close(listener: SimListener): void;
  dial(
    process: object,
    loop: SimLoop,
    options: DialOptions,
    buffer: ReadBuffer,
    handler: DialHandler,
  ): SocketPort;
}

export interface Machine {
  readonly world: World;
  readonly variant: Mischief;
  readonly observer: ServerObserver;
  readonly disk: MemoryDisk;
  /** Of the log thread's turns; changes with the weather. */
  readonly diskMsMax: number;
  /** How often the proposal ring had hardly any room. */
  fullRings: number;
  /** Of the client port. */
  readonly listeners: SimListener[];
  /** Null: it knows no other servers. */
  readonly peers: PeerPorts | null;
  powerLoss(): void;
  /** The process has ended by itself; null = it was told to stop. */
  onProcessEnd(process: object, ended: Ended | null): void;
}
