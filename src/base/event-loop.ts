/** The event loop of a thread as a port: Node's in production, the scheduler on virtual time in the simulator. */

/** None of these callbacks keeps the process alive. */
export interface EventLoop {
  /** After the sockets of this round, on a stack of its own. */
  soon(callback: () => void): void;
  after(delayMs: number, callback: () => void): LoopTimer;
  every(intervalMs: number, callback: () => void): LoopTimer;
}

export interface LoopTimer {
  cancel(): void;
}
