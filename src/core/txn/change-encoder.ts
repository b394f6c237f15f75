/** The planned change as a transaction record, straight into the log or a multi's scratch buffer. */
import { OpCode } from '../../wire/opcodes.ts';
import {
  writeCheckTxn,
  writeCreateContainerTxn,
  writeCreateTtlTxn,
  writeCreateTxn,
  writeDeleteTxn,
  writeSetAclTxn,
  writeSetDataTxn,
} from '../../wire/txn-writers.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { Change } from './change.ts';

/** Room for the fixed fields of any single record: prefixes, flags, cversion, ttl. */
export const RECORD_FIXED_BYTES = 32;

export class ChangeEncoder {
  private readonly change: Change;
  private readonly acls: AclTable;

  constructor(change: Change, acls: AclTable) {
    this.change = change;
    this.acls = acls;
  }

  /** Bytes that `write` needs at most. */
  recordBytesMax(): number {
    const { change } = this;
    let length = RECORD_FIXED_BYTES + change.pathLength;
    switch (change.op) {
      case OpCode.setData:
        return length + Math.max(change.dataLength, 0);
      case OpCode.setAcl:
        return length + this.acls.encoded(change.aclId).length;
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        length += Math.max(change.dataLength, 0) + this.acls.encoded(change.aclId).length;
        return length;
      default:
        return length;
    }
  }

  /** Returns the offset behind the record. */
  write(bytes: Uint8Array, view: DataView, at: number): number {
    const { change } = this;
    const { path, pathStart, pathLength, data, dataStart, dataLength } = change;
    switch (change.op) {
      case OpCode.delete:
      case OpCode.deleteContainer:
        return writeDeleteTxn(bytes, view, at, path, pathStart, pathLength);
      case OpCode.setData:
        // biome-ignore format: one slice per line
        return writeSetDataTxn(bytes, view, at,
          path, pathStart, pathLength,
          data, dataStart, dataLength,
          change.version);
      case OpCode.setAcl: {
        const acl = this.acls.encoded(change.aclId);
        return writeSetAclTxn(
          bytes,
          view,
          at,
          path,
          pathStart,
          pathLength,
          acl,
          0,
          acl.length,
          change.version,
        );
      }
      case OpCode.check:
        return writeCheckTxn(bytes, view, at, path, pathStart, pathLength, change.version);
      default:
        return this.writeCreate(bytes, view, at);
    }
  }

  private writeCreate(bytes: Uint8Array, view: DataView, at: number): number {
    const { change } = this;
    const { path, pathStart, pathLength, data, dataStart, dataLength, parentCversion } = change;
    const acl = this.acls.encoded(change.aclId);
    const aclLength = acl.length;
    if (change.op === OpCode.createContainer) {
      // biome-ignore format: one slice per line
      return writeCreateContainerTxn(bytes, view, at,
        path, pathStart, pathLength,
        data, dataStart, dataLength,
        acl, 0, aclLength,
        parentCversion);
    }
    if (change.op === OpCode.createTtl) {
      // biome-ignore format: one slice per line
      return writeCreateTtlTxn(bytes, view, at,
        path, pathStart, pathLength,
        data, dataStart, dataLength,
        acl, 0, aclLength,
        parentCversion, change.ttlMs);
    }
    // biome-ignore format: one slice per line
    return writeCreateTxn(bytes, view, at,
      path, pathStart, pathLength,
      data, dataStart, dataLength,
      acl, 0, aclLength,
      change.ephemeral, parentCversion);
  }
}
