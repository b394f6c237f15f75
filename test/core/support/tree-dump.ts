/**
 * The committed state of a replica as plain values, and the checks that hold for it at any quiet moment: what the
 * index, the child lists, the counters, the digest and the arena say must agree with a walk over the records.
 */
import assert from 'node:assert/strict';
import { joinHalves } from '../../../src/base/int64.ts';
import { OPEN_ACL_ID } from '../../../src/core/acl/acl-table.ts';
import { pathText } from '../../../src/core/path/path.ts';
import type { ReplicaParts } from '../../../src/core/replica-parts.ts';
import { DigestSum, nodeDigest } from '../../../src/core/tree/digest.ts';
import { ownerKind, readZxid, type ZnodeCursor } from '../../../src/core/tree/record.ts';
import { EMPTY_PATH, type Tree } from '../../../src/core/tree/tree.ts';
import { StatOffset } from '../../../src/wire/stat.ts';
import { HASH } from './hash.ts';

export interface DumpedNode {
  /** Hex; null for null data. */
  readonly data: string | null;
  readonly acl: readonly { readonly perms: number; readonly scheme: string; readonly id: string }[];
  readonly czxid: number;
  readonly mzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  /** As stored: children ever created. */
  readonly cversion: number;
  readonly aversion: number;
  /** As stored, container and TTL encodings included. */
  readonly owner: bigint;
  readonly pzxid: number;
  readonly children: readonly string[];
}

/** Path to node, sorted by path; the root is "". */
export function dumpTree(parts: Pick<ReplicaParts, 'tree' | 'acls'>): Map<string, DumpedNode> {
  const { tree, acls } = parts;
  const cursor = tree.cursor();
  const nodes: [string, DumpedNode][] = [];
  for (const id of nodeIds(tree)) {
    cursor.moveTo(tree.committedOf(id));
    const { bytes, dataStart, dataBytes } = cursor;
    const path = textOf(cursor);
    const data = Buffer.from(bytes.subarray(dataStart, dataStart + dataBytes)).toString('hex');
    nodes.push([
      path,
      {
        data: cursor.dataLength < 0 ? null : data,
        acl: acls.get(cursor.aclId),
        czxid: readZxid(cursor, StatOffset.czxid),
        mzxid: readZxid(cursor, StatOffset.mzxid),
        ctime: readZxid(cursor, StatOffset.ctime),
        mtime: readZxid(cursor, StatOffset.mtime),
        version: cursor.version,
        cversion: cursor.cversion,
        aversion: cursor.aversion,
        owner: joinHalves(cursor.ownerHigh, cursor.ownerLow),
        pzxid: readZxid(cursor, StatOffset.pzxid),
        children: childrenOf(tree, id).sort(),
      },
    ]);
  }
  return new Map(nodes.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Session id to timeout and its ephemerals' paths. */
export function dumpSessions(parts: ReplicaParts): Map<bigint, { timeoutMs: number; paths: string[] }> {
  const { sessions, ephemerals, tree } = parts;
  const cursor = tree.cursor();
  const dumped: [bigint, { timeoutMs: number; paths: string[] }][] = [];
  for (let slot = sessions.next(0); slot >= 0; slot = sessions.next(slot + 1)) {
    const paths: string[] = [];
    for (const id of ephemerals.of(slot)?.values() ?? []) {
      cursor.moveTo(tree.committedOf(id));
      paths.push(textOf(cursor));
    }
    const id = joinHalves(sessions.idHigh[slot]!, sessions.idLow[slot]!);
    dumped.push([id, { timeoutMs: sessions.timeoutMs[slot]!, paths: paths.sort() }]);
  }
  return new Map(dumped.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Everything that must hold when no proposal is in flight and no snapshot or large reply is being made. */
export function checkQuiet(parts: ReplicaParts): void {
  const { tree, proposals, sessions, ephemerals } = parts;
  assert.equal(proposals.length, 0, 'proposals in flight');
  checkTree(tree);
  assert.deepEqual(digestOf(tree.staging.digest), digestOf(tree.committed), 'proposed digest');
  const owned = new Map<number, number[]>();
  const cursor = tree.cursor();
  for (const id of nodeIds(tree)) {
    cursor.moveTo(tree.committedOf(id));
    if (ownerKind(cursor.ownerHigh, cursor.ownerLow, tree.extendedTypes) !== 'ephemeral') continue;
    const slot = sessions.find(cursor.ownerHigh, cursor.ownerLow);
    assert.ok(slot >= 0, `the owner of ${textOf(cursor)} is unknown`);
    const ids = owned.get(slot);
    if (ids === undefined) owned.set(slot, [id]);
    else ids.push(id);
  }
  let count = 0;
  for (const [slot, ids] of owned) {
    assert.deepEqual(
      [...(ephemerals.of(slot)?.values() ?? [])].sort(byNumber),
      ids.sort(byNumber),
      'ephemerals',
    );
    count += ids.length;
  }
  assert.equal(ephemerals.count, count, 'ephemerals of sessions that have none');
  checkAcls(parts);
}

/** Index, child lists, counters, digest and arena against a walk over the records. */
export function checkTree(tree: Tree): void {
  const cursor = tree.cursor();
  const digest = new DigestSum();
  let count = 0;
  let dataBytes = 0;
  let arenaBytes = indexBytes(tree);
  for (const id of nodeIds(tree)) {
    const record = tree.committedOf(id);
    assert.notEqual(record, 0, 'a child without a record');
    assert.equal(tree.nodes.pendingOf(id), 0, 'a pending record at a quiet moment');
    cursor.moveTo(record);
    assert.equal(cursor.nodeId, id);
    const path = textOf(cursor);
    const hash = HASH.of(cursor.bytes, cursor.pathStart, cursor.pathLength);
    assert.equal(cursor.pathHash, hash, path);
    assert.equal(tree.find(cursor.bytes, cursor.pathStart, cursor.pathLength, hash), id, path);
    assert.equal(cursor.depth, path === '' ? 0 : path.split('/').length - 1, path);
    assert.equal(cursor.numChildren, tree.children.count(id), path);
    assert.equal(cursor.nodeDigest >>> 0, nodeDigest(cursor) >>> 0, path);
    digest.add(nodeDigest(cursor));
    count++;
    dataBytes += cursor.pathLength + cursor.dataBytes;
    arenaBytes += tree.arena.sizeOf(record) + childListBytes(tree, id);
  }
  assert.equal(tree.nodeCount, count, 'node count');
  assert.equal(tree.index.size, count, 'index size');
  assert.equal(tree.dataBytes, dataBytes, 'data bytes');
  assert.deepEqual(digestOf(tree.committed), digestOf(digest), 'committed digest');
  assert.equal(tree.arena.usedBytes, arenaBytes, 'arena bytes');
}

export function digestOf(sum: DigestSum): bigint {
  return joinHalves(sum.high | 0, sum.low | 0);
}

export function textOf(cursor: ZnodeCursor): string {
  return cursor.pathLength === 0 ? '' : pathText(cursor.bytes, cursor.pathStart, cursor.pathLength);
}

/** Bytes of the path index, which grows and never shrinks. */
export function indexBytes(tree: Tree): number {
  let bytes = 0;
  for (const offset of tree.index['offsets']) bytes += tree.arena.sizeOf(offset);
  return bytes;
}

/** All committed nodes, parents before children. */
export function nodeIds(tree: Tree): number[] {
  const root = tree.find(EMPTY_PATH, 0, 0, tree.hash.of(EMPTY_PATH, 0, 0));
  const ids = root === 0 ? [] : [root];
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    for (let place = 0; place < tree.children.count(id); place++) ids.push(tree.children.at(id, place));
  }
  return ids;
}

function childrenOf(tree: Tree, id: number): string[] {
  const cursor = tree.cursor();
  const names: string[] = [];
  for (let place = 0; place < tree.children.count(id); place++) {
    cursor.moveTo(tree.committedOf(tree.children.at(id, place)));
    const path = textOf(cursor);
    names.push(path.slice(path.lastIndexOf('/') + 1));
  }
  return names;
}

function childListBytes(tree: Tree, id: number): number {
  const list = tree.nodes.childList[id >>> 16]![id & 0xffff]!;
  return list === 0 ? 0 : tree.arena.sizeOf(list);
}

// Every ACL is referenced once per node that has it, and no other is kept.
function checkAcls({ tree, acls }: ReplicaParts): void {
  const cursor = tree.cursor();
  const references = new Map<number, number>();
  for (const id of nodeIds(tree)) {
    cursor.moveTo(tree.committedOf(id));
    const { aclId } = cursor;
    if (aclId !== OPEN_ACL_ID) references.set(aclId, (references.get(aclId) ?? 0) + 1);
  }
  const kept = new Map<number, number>();
  for (const entry of acls['entries']) {
    if (entry !== null && entry.references > 0 && entry.id !== OPEN_ACL_ID)
      kept.set(entry.id, entry.references);
  }
  assert.deepEqual(
    [...kept].sort(([a], [b]) => a - b),
    [...references].sort(([a], [b]) => a - b),
    'ACL references',
  );
}

function byNumber(a: number, b: number): number {
  return a - b;
}
