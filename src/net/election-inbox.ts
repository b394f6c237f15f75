/**
 * Messages between the sockets that bring them and the election that reads them: a hundred, and when more come the oldest
 * go, because a server's newest message says all that its older ones did. They are read once per turn of the loop, so a
 * peer that sends without end costs the decoding of its messages and nothing more.
 */
import type { EventLoop } from '../base/event-loop.ts';
import type { ElectionNotification } from '../wire/election-notification.ts';
import type { MeshCounters } from './election-counters.ts';

const MESSAGES_MAX = 100;

interface Message {
  readonly from: number;
  readonly notification: ElectionNotification;
}

export class ElectionInbox {
  private readonly loop: EventLoop;
  private readonly counters: MeshCounters;
  private readonly onMessage: (from: number, notification: ElectionNotification) => void;
  private messages: Message[] = [];
  private isTurnComing = false;

  constructor(
    loop: EventLoop,
    counters: MeshCounters,
    onMessage: (from: number, notification: ElectionNotification) => void,
  ) {
    this.loop = loop;
    this.counters = counters;
    this.onMessage = onMessage;
  }

  push(from: number, notification: ElectionNotification): void {
    this.counters.received++;
    if (this.messages.length === MESSAGES_MAX) {
      this.messages.shift();
      this.counters.dropped++;
    }
    this.messages.push({ from, notification });
    if (this.isTurnComing) return;
    this.isTurnComing = true;
    this.loop.soon(() => this.turn());
  }

  clear(): void {
    this.messages = [];
  }

  private turn(): void {
    this.isTurnComing = false;
    const { messages } = this;
    this.messages = [];
    for (const { from, notification } of messages) this.onMessage(from, notification);
  }
}
