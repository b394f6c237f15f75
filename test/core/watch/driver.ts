/** A table of watches, driven with paths as text. */
import assert from 'node:assert/strict';
import type { EventType, WatchReceiver } from '../../../src/core/watch/watch-firing.ts';
import type { WatchMode as Mode } from '../../../src/core/watch/watch-rows.ts';
import { WatchTable } from '../../../src/core/watch/watch-table.ts';
import { HASH, pathHash } from '../support/hash.ts';

const LIMITS = { connectionBytesMax: 2 ** 27, bytesMax: 2 ** 29 };

/** Drives the table with text paths ("/" is the root) and collects who heard what as `conn:event`. */
export class Driver {
  readonly table = new WatchTable(HASH, LIMITS);
  private heard: string[] = [];
  private readonly receiver: WatchReceiver = {
    onWatch: (conn, eventType) => this.heard.push(`${conn}:${eventType}`),
    keep: () => ({ onWatch: this.receiver.onWatch, onEnd: () => this.ended++ }),
  };
  /** Firings that were left over and have come to their end. */
  ended = 0;

  add(conn: number, path: string, mode: Mode): void {
    const [bytes, start, length, hash] = located(path);
    assert.equal(this.table.add(conn, bytes, start, length, hash, mode), 'ok');
  }

  has(conn: number, path: string, type: number): boolean {
    const [bytes, start, length, hash] = located(path);
    return this.table.has(conn, bytes, start, length, hash, type);
  }

  remove(conn: number, path: string, type: number): boolean {
    const [bytes, start, length, hash] = located(path);
    return this.table.remove(conn, bytes, start, length, hash, type);
  }

  data(eventType: EventType, path: string): string[] {
    const [bytes, start, length, hash] = located(path);
    this.table.firing.triggerData(eventType, bytes, start, length, hash, this.receiver);
    return this.take();
  }

  child(eventType: EventType, path: string): string[] {
    const [bytes, start, length, hash] = located(path);
    this.table.firing.triggerChild(eventType, bytes, start, length, hash, this.receiver);
    return this.take();
  }

  deleted(path: string): string[] {
    const [bytes, start, length, hash] = located(path);
    this.table.firing.triggerDelete(bytes, start, length, hash, this.receiver);
    return this.take();
  }

  /** A slice of what is left over. */
  goOn(rows: number): string[] {
    this.table.firing.allow(rows);
    this.table.firing.goOn();
    return this.take();
  }

  private take(): string[] {
    const heard = this.heard;
    this.heard = [];
    return heard;
  }
}

/** Stored form in the middle of other bytes. */
function located(path: string): [Uint8Array, number, number, number] {
  const stored = path === '/' ? '' : path;
  const bytes = Buffer.from(`//${stored}/x`);
  const length = Buffer.byteLength(stored);
  return [bytes, 2, length, pathHash(bytes, 2, length)];
}
