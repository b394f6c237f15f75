/**
 * What this process may still believe of its session without having heard: a lease by the monotonic clock, from the send
 * time of the last answered request. It ends at 2/3 of the timeout, because a follower may die with touches that it had not
 * handed on. No local clock proves ownership: a follower cut off from its leader goes on answering pings. What must not
 * happen twice needs the fencing of the recipes; this only says early when to stop.
 */
import type { ClientCore } from './client-core.ts';

export class Lease {
  private readonly core: ClientCore;

  constructor(core: ClientCore) {
    this.core = core;
  }

  /** Milliseconds for which the session is safe to be alive; 0 or less: stop. */
  remainingMs(): number {
    const { machine } = this.core.driver;
    if (machine.session.id === 0n || !this.core.isConnected) return 0;
    return machine.lossMs - machine.session.timeoutMs / 3 - performance.now();
  }

  get isHeld(): boolean {
    return this.remainingMs() > 0;
  }
}
