/**
 * gzip (RFC 1952) for snapshots. Writing makes one member per chunk, so that memory stays bounded; members may
 * follow each other and Java's reader joins them. Reading takes any number of members of any size.
 *
 *     member   1f 8b | 08 | flags | mtime 4 | 2 | [extra][name][comment][crc16] | deflated data | crc32 | size
 */
import { crc32, gzipSync } from 'node:zlib';
import { CorruptionFailure } from '../base/failure.ts';
import { type ByteSource, ByteWindow } from './byte-window.ts';
import { InflateError, Inflater } from './inflate.ts';

export const GZIP_MAGIC: Readonly<Uint8Array> = Uint8Array.of(0x1f, 0x8b);
const DEFLATE_METHOD = 8;
const HeaderFlag = { crc16: 2, extra: 4, name: 8, comment: 16 } as const;
const CHUNK_BYTES = 64 * 1024;

/** One complete member holding `bytes[start, end)`. */
export function gzipMember(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return gzipSync(bytes.subarray(start, end));
}

/** The uncompressed bytes of a gzip stream. */
export class GunzipSource implements ByteSource {
  private readonly window: ByteWindow;
  private readonly inflater: Inflater;
  private readonly path: string;
  private inMember = false;
  private memberCount = 0;
  private memberBytes = 0;
  private memberCrc = 0;

  constructor(source: ByteSource, path: string) {
    this.window = new ByteWindow(source, CHUNK_BYTES);
    this.inflater = new Inflater(this.window);
    this.path = path;
  }

  read(into: Uint8Array, at: number, length: number): number {
    const inflater = this.inflater;
    try {
      while (inflater.outStart === inflater.outEnd) if (!this.inflateMore()) return 0;
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
      throw new CorruptionFailure(
        `${this.path} is corrupt near offset ${this.window.offset}: gzip: ${error.message}`,
      );
    }
    const count = Math.min(length, inflater.outEnd - inflater.outStart);
    into.set(inflater.out.subarray(inflater.outStart, inflater.outStart + count), at);
    inflater.outStart += count;
    return count;
  }

  /** False at the end of the stream; true does not promise output. */
  private inflateMore(): boolean {
    const inflater = this.inflater;
    if (!this.inMember) {
      if (inflater.atEnd() && this.memberCount > 0) return false;
      this.beginMember();
    }
    if (inflater.decode()) {
      const fresh = inflater.out.subarray(inflater.outStart, inflater.outEnd);
      this.memberBytes += fresh.length;
      this.memberCrc = crc32(fresh, this.memberCrc);
    } else {
      this.endMember();
    }
    return true;
  }

  private beginMember(): void {
    const inflater = this.inflater;
    const [id1, id2, method] = [inflater.bits(8), inflater.bits(8), inflater.bits(8)];
    if (id1 !== GZIP_MAGIC[0] || id2 !== GZIP_MAGIC[1] || method !== DEFLATE_METHOD) {
      throw new InflateError('no gzip member header where one must be');
    }
    const flags = inflater.bits(8);
    for (let i = 0; i < 6; i++) inflater.bits(8);
    if (flags & HeaderFlag.extra) for (let left = inflater.bits(16); left > 0; left--) inflater.bits(8);
    if (flags & HeaderFlag.name) while (inflater.bits(8) !== 0);
    if (flags & HeaderFlag.comment) while (inflater.bits(8) !== 0);
    if (flags & HeaderFlag.crc16) inflater.bits(16);
    inflater.reset();
    this.inMember = true;
    this.memberCount++;
    this.memberBytes = 0;
    this.memberCrc = 0;
  }

  private endMember(): void {
    const inflater = this.inflater;
    inflater.alignToByte();
    const crc = inflater.bits(16) + inflater.bits(16) * 65536;
    const bytes = inflater.bits(16) + inflater.bits(16) * 65536;
    if (crc !== this.memberCrc || bytes !== this.memberBytes % 2 ** 32) {
      throw new InflateError('the check sum of a member is wrong');
    }
    this.inMember = false;
  }
}
