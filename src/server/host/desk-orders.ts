/**
 * What desks wait for in the core's turns: something that becomes true, or a command of the log that is done. Few at a time. Core
 * thread.
 */
import type { RingLogPort } from '../log/log-port.ts';

interface Order {
  readonly isDone: () => boolean;
  readonly done: () => void;
}

export class DeskOrders {
  private readonly logPort: RingLogPort;
  /** Opens the core's turn, if it is not, and has one end soon. */
  private readonly enter: () => void;
  private waiting: Order[] = [];
  private seenCommands = 0;

  constructor(logPort: RingLogPort, enter: () => void) {
    this.logPort = logPort;
    this.enter = enter;
  }

  /** `done` is called in a turn in which `isDone`. */
  when(isDone: () => boolean, done: () => void): void {
    this.enter();
    this.waiting.push({ isDone, done });
  }

  /** Gives a command to the log, once it has room for one. */
  command(give: (log: RingLogPort) => boolean, done: () => void): void {
    const { logPort } = this;
    let number = -1;
    this.when(() => {
      if (number < 0 && give(logPort)) number = logPort.commandsGiven;
      return number >= 0 && logPort.commandsDone >= number;
    }, done);
  }

  /** Nobody waits any more. */
  forget(): void {
    this.waiting = [];
  }

  /** Within the core's turn. */
  poll(): void {
    this.seenCommands = this.logPort.commandsDone;
    for (const order of [...this.waiting]) {
      if (!this.waiting.includes(order) || !order.isDone()) continue;
      this.waiting = this.waiting.filter((other) => other !== order);
      order.done();
    }
  }

  get hasWork(): boolean {
    return this.logPort.commandsDone !== this.seenCommands;
  }
}
