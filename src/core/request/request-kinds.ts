/** Which requests become transactions, and which are answered from what is committed; all others are refused. Pure. */
import { isWrite, OpCode } from '../../wire/opcodes.ts';

/** Writes become transactions; createSession is the server's own and is refused as a read would be. */
export function isProposed(op: number): boolean {
  return isWrite(op) && op !== OpCode.createSession;
}

export function isRead(op: number): boolean {
  switch (op) {
    case OpCode.getData:
    case OpCode.exists:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.ping:
    case OpCode.sync:
    case OpCode.getAcl:
    case OpCode.multiRead:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
    case OpCode.whoAmI:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.addWatch:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return true;
    default:
      return false;
  }
}
