/**
 * The write class: each probe sets the probe's znode to its own number, on condition of the version that the write
 * before it left. So the value tells which writes were made, and a session that comes after a broken one can find
 * out what became of the writes that had no answer:
 *
 *     sent   7   8   9  (connection lost)      new session: sync, get -> 8
 *     reply  ok  -   -                         8 was made (late: its client did not know in time), 9 was not (failed)
 *
 * Versions make the writes of a session a chain: 9 can only be made when 8 was, so everything up to the number that
 * is read was made and nothing behind it. A write of the old session that arrives even later meets a version that a
 * newer write has left behind, or makes that newer write fail: one more failed probe in an outage, never a wrong `ok`.
 */
import { isZk } from '../../src/client/index.ts';
import type { Address } from '../base/address.ts';
import type { Session } from '../session/session.ts';
import { ProbeSession, type ProbeSessionLimits } from './probe-session.ts';
import type { ProbeTrack } from './probe-track.ts';

const NUMBER_BYTES = 8;

export class WriteProbe {
  private readonly path: string;
  private readonly session: ProbeSession;
  private track: ProbeTrack | null = null;
  /** The version that the next write expects. */
  private version = 0;
  /** Indices of the writes whose connection ended before their reply. */
  private lost: number[] = [];
  private closed = false;

  constructor(addresses: readonly Address[], limits: ProbeSessionLimits, path: string) {
    this.path = path;
    this.session = new ProbeSession(addresses, limits, (session) => this.takeUp(session));
  }

  /** What the znode holds before the first write. */
  static firstValue(): Buffer {
    return numberValue(0);
  }

  /** The znode must exist. @throws Error when no server gives a session. */
  async connect(track: ProbeTrack): Promise<void> {
    this.track = track;
    await this.session.connect();
  }

  /** Settles the track's probe `index`, sooner or later. The promise ends when it has been answered or lost. */
  async probe(track: ProbeTrack, index: number): Promise<void> {
    const session = this.session.current;
    if (session === null) {
      track.settle(index, 'failed');
      return;
    }
    const data = numberValue(index + 1);
    try {
      await session.ask((zk) => zk.setData(this.path, data, { version: this.version++ }));
      track.answer(index);
    } catch (error) {
      if (isZk(error)) {
        track.settle(index, 'failed');
        this.session.leave(`a write was answered with ${error.code}`); // the chain is broken: begin another
        return;
      }
      if (this.closed) return; // ended by us: the write had no answer, which is what its track says already
      track.settle(index, 'unknown');
      this.lost.push(index);
    }
  }

  /** Finds out what became of lost writes, if a server can be asked. */
  async resolveLost(): Promise<void> {
    if (this.lost.length > 0) await this.session.connect().catch(() => {}); // they stay unknown
  }

  close(): Promise<void> {
    this.closed = true;
    return this.session.close();
  }

  /** A new connection: what is the newest write, and which of the lost ones were made? */
  private async takeUp(session: Session): Promise<void> {
    const [, { data, stat }] = await Promise.all([
      session.ask((zk) => zk.sync(this.path)),
      session.ask((zk) => zk.getData(this.path)),
    ]);
    const newest = data?.length === NUMBER_BYTES ? Buffer.from(data).readDoubleBE() : 0;
    this.version = stat.version;
    for (const index of this.lost.splice(0))
      this.track!.settle(index, index + 1 <= newest ? 'late' : 'failed');
  }
}

function numberValue(value: number): Buffer {
  const bytes = Buffer.alloc(NUMBER_BYTES);
  bytes.writeDoubleBE(value);
  return bytes;
}
