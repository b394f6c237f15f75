/**
 * Connections whose next request waits for the same thing, in the order in which they came; each stands in a line once, so
 * that a line is never longer than there are connections. Core thread; request-order.ts.
 */
import { Fifo } from '../collections/fifo.ts';
import type { Client } from './client.ts';

export class WaitingLine {
  private readonly line = new Fifo<Client>();
  private readonly bit: number;

  /** `bit`: its own in `Client.lines`. */
  constructor(bit: number) {
    this.bit = bit;
  }

  get length(): number {
    return this.line.length;
  }

  push(client: Client): void {
    if ((client.lines & this.bit) !== 0) return;
    client.lines |= this.bit;
    this.line.push(client);
  }

  /** Takes the first; there must be one. */
  shift(): Client {
    const client = this.line.shift();
    client.lines &= ~this.bit;
    return client;
  }

  /** Who has come last has had its turn in vain: it is the first of the next time. */
  lastToFront(): void {
    this.line.newestToFront();
  }
}
