/**
 * Reply bodies as values, for clients and the load generator, which read them; the server's data plane writes them
 * field by field (values to bytes: test/support/wire). A body follows the reply header (reply-header.ts) only if its err is 0. Decoding
 * throws MalformedRecord. Any thread.
 *
 *     create                                   ustring path
 *     create2, createContainer, createTTL      ustring path | Stat
 *     exists, setData, setACL                  Stat
 *     getData, reconfig                        buffer data | Stat
 *     getACL                                   vector<ACL> acl | Stat
 *     getChildren                              vector<ustring> children
 *     getChildren2                             vector<ustring> children | Stat
 *     sync                                     ustring path
 *     addWatch                                 i32 err (0)
 *     sasl                                     buffer token
 *     getEphemerals                            vector<ustring> paths
 *     getAllChildrenNumber                     i32 totalNumber
 *     whoAmI                                   vector<ClientInfo>, ClientInfo = ustring scheme | ustring user
 *     multi, multiRead                         { MultiHeader{type, false, err} | result } ... | MultiHeader{-1, true, -1}
 *     all others                               nothing
 *
 *     result:  1 create path | 15 create2 path, Stat | 2 delete - | 5 setData Stat | 13 check -
 *              | 4 getData data, Stat | 8 getChildren children | -1 error i32 err (same as in its header)
 */
import { readAcl, type SentAcl } from './acl.ts';
import { type JuteReader, readText } from './jute-reader.ts';
import { OpCode } from './opcodes.ts';
import { readStat, type Stat } from './stat.ts';

type Op = typeof OpCode;

export interface ClientInfo {
  readonly scheme: string;
  readonly user: string;
}

/** What one sub operation of a multi or multiRead came to. */
export type MultiResult =
  | { readonly op: Op['create']; readonly path: string }
  | { readonly op: Op['create2']; readonly path: string; readonly stat: Stat }
  | { readonly op: Op['delete'] }
  | { readonly op: Op['check'] }
  | { readonly op: Op['setData']; readonly stat: Stat }
  | { readonly op: Op['getData']; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly op: Op['getChildren']; readonly children: readonly string[] }
  | { readonly op: Op['error']; readonly err: number };

export type Response =
  | { readonly op: Op['create']; readonly path: string }
  | {
      readonly op: Op['create2'] | Op['createContainer'] | Op['createTtl'];
      readonly path: string;
      readonly stat: Stat;
    }
  | { readonly op: Op['exists'] | Op['setData'] | Op['setAcl']; readonly stat: Stat }
  | { readonly op: Op['getData'] | Op['reconfig']; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly op: Op['getAcl']; readonly acl: readonly SentAcl[]; readonly stat: Stat }
  | { readonly op: Op['getChildren']; readonly children: readonly string[] }
  | { readonly op: Op['getChildren2']; readonly children: readonly string[]; readonly stat: Stat }
  | { readonly op: Op['sync']; readonly path: string | null }
  | { readonly op: Op['addWatch']; readonly err: number }
  | { readonly op: Op['sasl']; readonly token: Uint8Array | null }
  | { readonly op: Op['getEphemerals']; readonly paths: readonly string[] }
  | { readonly op: Op['getAllChildrenNumber']; readonly count: number }
  | { readonly op: Op['whoAmI']; readonly clients: readonly ClientInfo[] }
  | { readonly op: Op['multi'] | Op['multiRead']; readonly results: readonly MultiResult[] }
  | { readonly op: HeaderOnlyOp };

export type HeaderOnlyOp =
  | Op['delete']
  | Op['ping']
  | Op['checkWatches']
  | Op['removeWatches']
  | Op['deleteContainer']
  | Op['auth']
  | Op['setWatches']
  | Op['setWatches2']
  | Op['closeSession'];

/** The response to a request with opcode `O`: the member of the union whose opcodes it is among. */
export type ResponseTo<O extends Response['op']> = Among<Response, O>;
type Among<R, O> = R extends { readonly op: infer P } ? (O extends P ? R : never) : never;

/** The body of a successful reply to a request with opcode `op`. */
export function readResponse<O extends Response['op']>(reader: JuteReader, op: O): ResponseTo<O>;
export function readResponse(reader: JuteReader, op: Response['op']): Response {
  switch (op) {
    case OpCode.create:
      return { op, path: reader.readText() };
    case OpCode.sync:
      return { op, path: reader.readString() };
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return { op, path: reader.readText(), stat: readStat(reader) };
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setAcl:
      return { op, stat: readStat(reader) };
    case OpCode.getData:
    case OpCode.reconfig:
      return { op, data: reader.readBuffer(), stat: readStat(reader) };
    case OpCode.getAcl:
      return { op, acl: reader.readList(readAcl), stat: readStat(reader) };
    case OpCode.getChildren:
      return { op, children: reader.readList(readText) };
    case OpCode.getChildren2:
      return { op, children: reader.readList(readText), stat: readStat(reader) };
    case OpCode.addWatch:
      return { op, err: reader.readInt() };
    case OpCode.sasl:
      return { op, token: reader.readBuffer() };
    case OpCode.getEphemerals:
      return { op, paths: reader.readList(readText) };
    case OpCode.getAllChildrenNumber:
      return { op, count: reader.readInt() };
    case OpCode.whoAmI:
      return { op, clients: reader.readList(readClientInfo) };
    case OpCode.multi:
    case OpCode.multiRead:
      return { op, results: readMultiResults(reader) };
    default:
      return { op };
  }
}

function readClientInfo(reader: JuteReader): ClientInfo {
  return { scheme: reader.readText(), user: reader.readText() };
}

function readMultiResults(reader: JuteReader): MultiResult[] {
  const results: MultiResult[] = [];
  for (;;) {
    const type = reader.readInt();
    const done = reader.readBool();
    reader.readInt();
    if (done) return results;
    results.push(readMultiResult(reader, type));
  }
}

function readMultiResult(reader: JuteReader, type: number): MultiResult {
  switch (type) {
    case OpCode.create:
      return { op: type, path: reader.readText() };
    case OpCode.create2:
      return { op: type, path: reader.readText(), stat: readStat(reader) };
    case OpCode.delete:
    case OpCode.check:
      return { op: type };
    case OpCode.setData:
      return { op: type, stat: readStat(reader) };
    case OpCode.getData:
      return { op: type, data: reader.readBuffer(), stat: readStat(reader) };
    case OpCode.getChildren:
      return { op: type, children: reader.readList(readText) };
    case OpCode.error:
      return { op: type, err: reader.readInt() };
    default:
      return reader.fail(`the result of a sub operation, not type ${type},`);
  }
}
