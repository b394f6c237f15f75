/**
 * Which operations of a multi have asked for a Stat: a leader may log `create` for `create2`, because older followers know no
 * other in a multi, and the client is to be answered what it has asked. Pure.
 */
import { MultiRequest } from '../../wire/multi.ts';
import { OpCode } from '../../wire/opcodes.ts';

export class MultiOps {
  private readonly multi = new MultiRequest();

  /** By place in the multi: 1 = create2. Null: there is none, or it cannot be read, which the leader will say. */
  create2Of(bytes: Uint8Array, view: DataView, start: number, end: number): Uint8Array | null {
    const { multi } = this;
    if (!multi.wrap(bytes, view, start, end)) return null;
    let places: Uint8Array | null = null;
    for (let place = 0; multi.next(); place++) {
      if (multi.op !== OpCode.create2) continue;
      places ??= new Uint8Array(multi.count);
      places[place] = 1;
    }
    return places;
  }
}
