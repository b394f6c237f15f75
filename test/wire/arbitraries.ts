/**
 * Generators of every value the wire layer knows, for the round-trip and fuzz tests.
 */
import fc from 'fast-check';
import type { SentAcl } from '../../src/wire/acl.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import type { MultiResult, Response } from '../../src/wire/responses.ts';
import type { Stat, StatPersisted } from '../../src/wire/stat.ts';
import type { SubTxn, Txn } from '../support/wire/txn-values.ts';

export const int32 = fc.integer();
export const zxid = fc.maxSafeInteger();
export const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
// Any scalar values; lone surrogates cannot survive UTF-8.
export const text = fc.string({ unit: 'binary', maxLength: 30 });
export const nullableText = fc.option(text);
export const blob = fc.uint8Array({ maxLength: 100 });
export const nullableBlob = fc.option(blob);
const texts = fc.array(text, { maxLength: 5 });

export const acl: fc.Arbitrary<SentAcl> = fc.record(
  { perms: int32, scheme: nullableText, id: nullableText },
  { noNullPrototype: true },
);
export const acls = fc.option(fc.array(acl, { maxLength: 4 }));

const persisted = {
  czxid: zxid,
  mzxid: zxid,
  ctime: zxid,
  mtime: zxid,
  version: int32,
  cversion: int32,
  aversion: int32,
  ephemeralOwner: int64,
  pzxid: zxid,
};
export const statPersisted: fc.Arbitrary<StatPersisted> = fc.record(persisted, { noNullPrototype: true });
export const stat: fc.Arbitrary<Stat> = fc.record(
  { ...persisted, dataLength: int32, numChildren: int32 },
  { noNullPrototype: true },
);

/** A record type; the cast is safe because `fields` spells the type out at each use. */
function of<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields as Record<string, fc.Arbitrary<unknown>>, {
    noNullPrototype: true,
  }) as fc.Arbitrary<T>;
}

function op<const O extends number>(...ops: O[]): fc.Arbitrary<O> {
  return fc.constantFrom(...ops);
}

const path = nullableText;
const data = nullableBlob;

export const multiWriteSub: fc.Arbitrary<MultiSubRequest> = fc.oneof(
  of({ op: op(OpCode.create, OpCode.create2, OpCode.createContainer), path, data, acl: acls, flags: int32 }),
  of({ op: op(OpCode.createTtl), path, data, acl: acls, flags: int32, ttl: zxid }),
  of({ op: op(OpCode.delete, OpCode.check), path, version: int32 }),
  of({ op: op(OpCode.setData), path, data, version: int32 }),
);

export const multiReadSub: fc.Arbitrary<MultiSubRequest> = of({
  op: op(OpCode.getData, OpCode.getChildren),
  path,
  watch: fc.boolean(),
});

export const request: fc.Arbitrary<Request> = fc.oneof(
  multiWriteSub,
  multiReadSub,
  of({ op: op(OpCode.ping, OpCode.whoAmI, OpCode.closeSession) }),
  of({
    op: op(
      OpCode.sync,
      OpCode.getAcl,
      OpCode.getAllChildrenNumber,
      OpCode.getEphemerals,
      OpCode.deleteContainer,
    ),
    path,
  }),
  of({ op: op(OpCode.exists, OpCode.getChildren2), path, watch: fc.boolean() }),
  of({ op: op(OpCode.addWatch, OpCode.checkWatches, OpCode.removeWatches), path, mode: int32 }),
  of({ op: op(OpCode.setAcl), path, acl: acls, version: int32 }),
  of({ op: op(OpCode.auth), scheme: nullableText, auth: nullableBlob }),
  of({ op: op(OpCode.sasl), token: nullableBlob }),
  of({ op: op(OpCode.setWatches), relativeZxid: zxid, data: texts, exist: texts, child: texts }),
  of({
    op: op(OpCode.setWatches2),
    relativeZxid: zxid,
    data: texts,
    exist: texts,
    child: texts,
    persistent: texts,
    persistentRecursive: texts,
  }),
  of({
    op: op(OpCode.reconfig),
    joining: nullableText,
    leaving: nullableText,
    members: nullableText,
    configId: zxid,
  }),
  of({ op: op(OpCode.createSession), timeoutMs: int32 }),
  of({
    op: op(OpCode.multi, OpCode.multiRead),
    subs: fc.array(fc.oneof(multiWriteSub, multiReadSub), { maxLength: 5 }),
  }),
);

const multiResult: fc.Arbitrary<MultiResult> = fc.oneof(
  of({ op: op(OpCode.create), path: text }),
  of({ op: op(OpCode.create2), path: text, stat }),
  of({ op: op(OpCode.delete) }),
  of({ op: op(OpCode.check) }),
  of({ op: op(OpCode.setData), stat }),
  of({ op: op(OpCode.getData), data, stat }),
  of({ op: op(OpCode.getChildren), children: texts }),
  of({ op: op(OpCode.error), err: int32 }),
);

export const response: fc.Arbitrary<Response> = fc.oneof(
  of({ op: op(OpCode.create), path: text }),
  of({ op: op(OpCode.create2, OpCode.createContainer, OpCode.createTtl), path: text, stat }),
  of({ op: op(OpCode.exists, OpCode.setData, OpCode.setAcl), stat }),
  of({ op: op(OpCode.getData, OpCode.reconfig), data, stat }),
  of({ op: op(OpCode.getAcl), acl: fc.array(acl, { maxLength: 4 }), stat }),
  of({ op: op(OpCode.getChildren), children: texts }),
  of({ op: op(OpCode.getChildren2), children: texts, stat }),
  of({ op: op(OpCode.sync), path: nullableText }),
  of({ op: op(OpCode.addWatch), err: int32 }),
  of({ op: op(OpCode.sasl), token: nullableBlob }),
  of({ op: op(OpCode.getEphemerals), paths: texts }),
  of({ op: op(OpCode.getAllChildrenNumber), count: int32 }),
  of({ op: op(OpCode.whoAmI), clients: fc.array(of({ scheme: text, user: text }), { maxLength: 3 }) }),
  of({ op: op(OpCode.multi, OpCode.multiRead), results: fc.array(multiResult, { maxLength: 5 }) }),
  of({
    op: op(
      OpCode.delete,
      OpCode.ping,
      OpCode.checkWatches,
      OpCode.removeWatches,
      OpCode.deleteContainer,
      OpCode.auth,
      OpCode.setWatches,
      OpCode.setWatches2,
      OpCode.closeSession,
    ),
  }),
);

const createFields = { path, data, acl: acls, parentCVersion: int32 };

const standaloneSub: fc.Arbitrary<SubTxn> = fc.oneof(
  of({ type: op(OpCode.create, OpCode.create2), ...createFields, ephemeral: fc.boolean() }),
  of({ type: op(OpCode.createContainer), ...createFields }),
  of({ type: op(OpCode.createTtl), ...createFields, ttl: zxid }),
  of({ type: op(OpCode.delete, OpCode.deleteContainer), path }),
  of({ type: op(OpCode.setData, OpCode.reconfig), path, data, version: int32 }),
  of({ type: op(OpCode.setAcl), path, acl: acls, version: int32 }),
  of({ type: op(OpCode.error), err: int32 }),
);

const subTxn: fc.Arbitrary<SubTxn> = fc.oneof(
  standaloneSub,
  of({ type: op(OpCode.check), path, version: int32 }),
);

const txnBody: fc.Arbitrary<Txn['body']> = fc.oneof(
  standaloneSub,
  of({ type: op(OpCode.createSession), timeoutMs: int32 }),
  of({
    type: op(OpCode.closeSession),
    // Two empty paths would look like a digest; no znode has such a path.
    paths: fc.option(fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), { maxLength: 4 })),
  }),
  of({ type: op(OpCode.multi), subs: fc.array(subTxn, { maxLength: 5 }) }),
);

export const txn: fc.Arbitrary<Txn> = of({
  clientId: int64,
  cxid: int32,
  zxid,
  timeMs: zxid,
  body: txnBody,
  digest: fc.option(of({ version: fc.constant(2), treeDigest: int64 })),
});
