/**
 * The answers to four-letter words that are under way. Core thread.
 *
 *     begin ──▶ short, and waits for nothing: made, sent and closed at once
 *       │
 *       └─ waits for something, or is long ──▶ [ made in turn, a piece per round, as far as its client reads ] ──▶ closed
 *                 │                                       ▲
 *                 └─ `LONG_AT_ONCE` are long already ─────┘ in the order in which they came
 *
 * A piece is a bounded amount of work (its maker sees to it), so nobody waits longer for a word than for that. Memory:
 * what a connection may leave unread, and what a long answer needs while it is made, `LONG_AT_ONCE` times at most. An
 * asker who does not read keeps its place until another one wants it, and then for `STUCK_MS`.
 */
import type { Client } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { Replier } from '../client/replier.ts';
import type { WordAnswer } from '../ports/word-answer.ts';

const LONG_AT_ONCE = 4;
export const STUCK_MS = 2000;

interface Job {
  readonly client: Client;
  readonly answer: WordAnswer;
  /** Its client has to read before the next piece is made; since when. Null: it need not. */
  stuckSinceMs: number | null;
}

export class WordAnswers {
  private readonly clients: ClientTable;
  private readonly replier: Replier;
  /** First to come first. */
  private readonly running: Job[] = [];
  private readonly waiting: Job[] = [];
  private longRunning = 0;

  constructor(clients: ClientTable, replier: Replier) {
    this.clients = clients;
    this.replier = replier;
  }

  /** The client's connection is already closing: it will send no request. */
  begin(client: Client, answer: WordAnswer): void {
    const job = { client, answer, stuckSinceMs: null };
    if (answer.isLong && this.longRunning === LONG_AT_ONCE) this.waiting.push(job);
    else this.start(job);
  }

  /** A round would bring something further. */
  get isBusy(): boolean {
    if (this.running.length === 0) return false;
    for (const job of this.running) if (canGoOn(job)) return true;
    return false;
  }

  /** One piece of one answer, each in its turn. */
  doWork(nowMs: number): void {
    const at = this.running.findIndex(canGoOn);
    if (at < 0) return;
    const [job] = this.running.splice(at, 1);
    this.goOn(job!, nowMs);
  }

  /** The client has read. */
  onDrained(client: Client): void {
    const job = this.running.find((one) => one.client === client);
    if (job !== undefined) job.stuckSinceMs = null;
  }

  onGone(client: Client): void {
    const job = this.running.find((one) => one.client === client);
    if (job !== undefined) {
      this.running.splice(this.running.indexOf(job), 1);
      this.end(job);
      return;
    }
    const at = this.waiting.findIndex((one) => one.client === client);
    if (at >= 0) this.waiting.splice(at, 1)[0]!.answer.abandon();
  }

  /** The replica ends, and with it what the answers read: they are cut off. */
  letGo(): void {
    for (const { client, answer } of [...this.running.splice(0), ...this.waiting.splice(0)]) {
      answer.abandon();
      client.sink.close(client.conn);
    }
  }

  /** Once per tick: whoever has not read for long makes room for those who wait. */
  onTick(nowMs: number): void {
    if (this.waiting.length === 0) return;
    const stuck = this.running.find(
      ({ answer, stuckSinceMs }) =>
        answer.isLong && stuckSinceMs !== null && nowMs - stuckSinceMs >= STUCK_MS,
    );
    if (stuck === undefined) return;
    this.running.splice(this.running.indexOf(stuck), 1);
    this.clients.limitEnds.count('unreadWord', stuck.client.address, -1);
    stuck.client.sink.close(stuck.client.conn);
    this.end(stuck);
  }

  private start(job: Job): void {
    const { answer, client } = job;
    if (answer.isLong) this.longRunning++;
    if (answer.isLong || !answer.isReady) this.running.push(job);
    else this.finish(client, answer);
  }

  private finish(client: Client, answer: WordAnswer): void {
    for (let piece = answer.next(); piece !== null; piece = answer.next()) {
      this.replier.text(client, piece);
    }
    client.sink.close(client.conn);
  }

  private goOn(job: Job, nowMs: number): void {
    const { client, answer } = job;
    if (!answer.isLong) {
      this.finish(client, answer);
      return;
    }
    if (client.sink.room(client.conn) <= 0) {
      job.stuckSinceMs = nowMs;
    } else {
      const piece = answer.next();
      if (piece === null) {
        client.sink.close(client.conn);
        this.end(job);
        return;
      }
      this.replier.text(client, piece);
    }
    this.running.push(job);
  }

  private end({ answer }: Job): void {
    answer.abandon();
    if (!answer.isLong) return;
    this.longRunning--;
    const next = this.waiting.shift();
    if (next !== undefined) this.start(next);
  }
}

function canGoOn({ client, answer, stuckSinceMs }: Job): boolean {
  return stuckSinceMs === null && answer.isReady && !client.sink.congested;
}
