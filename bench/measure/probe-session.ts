/**
 * The session of one class of probes. It holds one connection to one server of its list, and moves to the next one
 * when that ends or says nothing for too long; until it has arrived, there is none to send on. It never repeats a
 * request: a probe that met no session has failed.
 *
 *     none --request, and `retryMs` since the last try--> connecting --session, `prepare` done--> open
 *      ^                                                      | refused, silent                    | ended, silent
 *      '------------------------------------------------------'------------------------------------'
 */
import type { Zk } from '../../src/client/index.ts';
import type { Address } from '../base/address.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import { ConnectionLost, Session } from '../session/session.ts';

export interface ProbeSessionLimits {
  /** A server that owes an answer for so long is left; so long a new session may take. */
  readonly silenceMsMax: number;
  readonly retryMs: number;
}

export class ProbeSession {
  private readonly addresses: readonly Address[];
  private readonly limits: ProbeSessionLimits;
  private readonly prepare: (session: Session) => Promise<void>;
  private session: Session | null = null;
  private nextAddress = 0;
  private connecting = false;
  private retryAtMs = 0;
  private closed = false;

  /** `prepare` runs on each new connection before probes do; when it fails the connection is given up. */
  constructor(
    addresses: readonly Address[],
    limits: ProbeSessionLimits,
    prepare: (session: Session) => Promise<void> = async () => {},
  ) {
    this.addresses = addresses;
    this.limits = limits;
    this.prepare = prepare;
  }

  /** Tries each server once. @throws Error of the last one when none gives a session. */
  async connect(): Promise<void> {
    for (let left = this.addresses.length; ; left--) {
      try {
        await this.connectOnce();
        return;
      } catch (error) {
        if (left <= 1) throw error;
      }
    }
  }

  /** @throws ConnectionLost also when there is no connection just now: nothing is sent then. */
  ask<T>(what: (zk: Zk) => Promise<T>): Promise<T> {
    const { current } = this;
    return current === null ? Promise.reject(new ConnectionLost('no session')) : current.ask(what);
  }

  /** The connection to send on; null while there is none, and then a new one is on its way. */
  get current(): Session | null {
    if (this.session?.isOpen) return this.session;
    if (!this.connecting && !this.closed && monotonicMs() >= this.retryAtMs) void this.reconnect();
    return null;
  }

  /** Gives the connection up, so that the next one is to another server where there are several. */
  leave(reason: string): void {
    this.session?.destroy(new Error(reason));
    this.session = null;
  }

  async close(): Promise<void> {
    this.closed = true;
    const session = this.session;
    this.session = null;
    await session?.close();
  }

  private async reconnect(): Promise<void> {
    try {
      await this.connectOnce();
    } catch {
      // The probes that find no session say it; the next one due after a while makes the next try.
      this.retryAtMs = monotonicMs() + this.limits.retryMs;
    }
  }

  private async connectOnce(): Promise<void> {
    const address = this.addresses[this.nextAddress]!;
    this.nextAddress = (this.nextAddress + 1) % this.addresses.length;
    this.connecting = true;
    try {
      const { silenceMsMax } = this.limits;
      const session = await Session.connect(address, { withinMs: silenceMsMax, replyMs: silenceMsMax });
      await this.prepareOrLeave(session);
      this.session?.destroy();
      this.session = this.closed ? null : session;
      if (this.closed) session.destroy();
    } finally {
      this.connecting = false;
    }
  }

  private async prepareOrLeave(session: Session): Promise<void> {
    try {
      await this.prepare(session);
    } catch (error) {
      session.destroy();
      throw error;
    }
  }
}
