/**
 * The ids that a learner sends along with each request, decoded once for as long as they stay the same: requests of one client follow
 * each other. Core thread.
 */
import { JuteReader, MalformedRecord } from '../../wire/jute-reader.ts';
import type { AuthId } from '../acl/acl.ts';

/** More than any client has proved to be; a vector of more is refused before memory is spent. */
const IDS_MAX = 10_000;
const NOBODY: readonly AuthId[] = [];

export class LentIds {
  list: readonly AuthId[] = NOBODY;
  private encoded = new Uint8Array(0);

  /** `vector<Id>` at `[start, end)`. False: it is none. */
  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (this.isSame(bytes, start, end)) return true;
    const count = view.getInt32(start);
    if (count > IDS_MAX) return false;
    const reader = new JuteReader(bytes, view, start + 4, end);
    const list: AuthId[] = [];
    try {
      for (let left = count; left > 0; left--) {
        const scheme = reader.readString() ?? '';
        list.push({ scheme, id: reader.readString() ?? '' });
      }
    } catch (error) {
      if (error instanceof MalformedRecord) return false;
      throw error;
    }
    this.list = list;
    this.encoded = Uint8Array.from(bytes.subarray(start, end));
    return true;
  }

  private isSame(bytes: Uint8Array, start: number, end: number): boolean {
    const { encoded } = this;
    if (encoded.length !== end - start) return false;
    for (let i = 0; i < encoded.length; i++) if (encoded[i] !== bytes[start + i]) return false;
    return true;
  }
}
