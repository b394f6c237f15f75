/**
 * A Stat whose fields are read from its 68 bytes when they are asked for: a reply costs one copy instead of a dozen boxed
 * numbers. Structurally a `Stat`; `toJSON` and `copy` give plain values.
 */
import { joinHalves, readInt64 } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import { STAT_BYTES, type Stat, StatOffset } from '../wire/stat.ts';

export class StatView implements Stat {
  private readonly bytes: Uint8Array;
  private readonly at: number;
  /** Made for the first field that is asked for: most replies are read for their data. */
  private made: DataView | null = null;

  /** `bytes[at, at + 68)` must stay as it is. */
  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  private get view(): DataView {
    const { bytes, at } = this;
    this.made ??= new DataView(bytes.buffer, bytes.byteOffset + at, STAT_BYTES);
    return this.made;
  }

  get czxid(): Zxid {
    return readInt64(this.view, StatOffset.czxid);
  }

  get mzxid(): Zxid {
    return readInt64(this.view, StatOffset.mzxid);
  }

  /** Milliseconds since 1970, by the leader's clock. */
  get ctime(): number {
    return readInt64(this.view, StatOffset.ctime);
  }

  get mtime(): number {
    return readInt64(this.view, StatOffset.mtime);
  }

  get version(): number {
    return this.view.getInt32(StatOffset.version);
  }

  get cversion(): number {
    return this.view.getInt32(StatOffset.cversion);
  }

  get aversion(): number {
    return this.view.getInt32(StatOffset.aversion);
  }

  /** Session id of the owner; 0 for everything but ephemeral znodes. */
  get ephemeralOwner(): bigint {
    const at = StatOffset.ephemeralOwner;
    return joinHalves(this.view.getInt32(at), this.view.getInt32(at + 4));
  }

  get dataLength(): number {
    return this.view.getInt32(StatOffset.dataLength);
  }

  get numChildren(): number {
    return this.view.getInt32(StatOffset.numChildren);
  }

  get pzxid(): Zxid {
    return readInt64(this.view, StatOffset.pzxid);
  }

  /** Plain values, for printing and comparing. */
  toObject(): Stat {
    const {
      czxid,
      mzxid,
      ctime,
      mtime,
      version,
      cversion,
      aversion,
      ephemeralOwner,
      dataLength,
      numChildren,
      pzxid,
    } = this;
    return {
      czxid,
      mzxid,
      ctime,
      mtime,
      version,
      cversion,
      aversion,
      ephemeralOwner,
      dataLength,
      numChildren,
      pzxid,
    };
  }

  toJSON(): Record<string, number | string> {
    const { ephemeralOwner, ...rest } = this.toObject();
    return { ...rest, ephemeralOwner: `0x${BigInt.asUintN(64, ephemeralOwner).toString(16)}` };
  }

  /** What the console prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): Stat {
    return this.toObject();
  }
}
