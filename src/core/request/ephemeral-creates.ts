/** Whether a request would create an ephemeral, which a session that is one server's alone may not own. Core thread. */
import { MultiRequest } from '../../wire/multi.ts';
import { CreateFlags, OpCode } from '../../wire/opcodes.ts';
import { CreateRequest } from '../../wire/requests.ts';
import type { Frame } from '../client/frame.ts';

export class EphemeralCreates {
  private readonly create = new CreateRequest();
  private readonly multi = new MultiRequest();

  /** False also of what cannot be read: whoever proposes it says so. */
  isIn({ op, bytes, view, start, end }: Frame): boolean {
    switch (op) {
      case OpCode.create:
      case OpCode.create2:
        return this.create.wrap(bytes, view, start, end) && isEphemeral(this.create.flags);
      case OpCode.multi:
        return this.multi.wrap(bytes, view, start, end) && this.isInMulti();
      default:
        return false;
    }
  }

  private isInMulti(): boolean {
    const { multi } = this;
    while (multi.next()) {
      const { op } = multi;
      const isCreate = op === OpCode.create || op === OpCode.create2 || op === OpCode.createContainer;
      if (isCreate && isEphemeral(multi.create.flags)) return true;
    }
    return false;
  }
}

function isEphemeral(flags: number): boolean {
  return flags === CreateFlags.ephemeral || flags === CreateFlags.ephemeralSequential;
}
