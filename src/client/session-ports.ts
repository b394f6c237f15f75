/**
 * The world as a session machine sees it.
 */
import type { Host } from './connect-string.ts';
import type { Credential } from './credentials.ts';
import type { HostList } from './hosts.ts';
import type { SaslHook } from './sasl-digest.ts';
import type { Notice, SessionOptions, SessionTicket, StateChange } from './session-state.ts';

/** What the machine asks of its driver. Nothing here calls back before the machine has returned. */
export interface SessionPorts {
  /** Answered by `onOpen` or `onClosed`. */
  dial(host: Host): void;
  /** The bytes are valid during the call only. */
  send(bytes: Uint8Array): void;
  /** Drops the connection or the attempt; nothing of it is reported any more. */
  hangUp(): void;
  /** `onTick` is wanted at this time at the latest; replaces what was asked before. */
  wakeAt(atMs: number): void;
  /** `flush` is wanted at the end of this turn. */
  flushSoon(): void;
  /** Asks a server whether it is read-only; answered by `onProbed`. */
  probe(host: Host): void;
  /** Uniform in [0, 1). */
  random(): number;
  onState(change: StateChange): void;
  onNotice(notice: Notice, detail: string): void;
}

/** What a machine is made of. */
export interface MachineSetUp {
  readonly options: SessionOptions;
  readonly hosts: HostList;
  readonly credentials: readonly Credential[];
  readonly sasl: SaslHook | null;
  /** A session to go on with. */
  readonly ticket: SessionTicket | null;
}
