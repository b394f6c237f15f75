import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkAcl } from '../../../src/core/acl/acl-check.ts';
import { decodeAcls, encodeAcls } from '../../../src/core/acl/acl-format.ts';
import { AclTable, NO_ACL, OPEN_ACL_ID } from '../../../src/core/acl/acl-table.ts';
import { AuthProviders } from '../../../src/core/acl/auth-providers.ts';
import type { Acl } from '../../../src/wire/acl.ts';
import { OPEN_ACL, Perm } from '../../../src/wire/acl.ts';
import { HASH } from '../support/hash.ts';

const list = (name: string): Acl[] => [{ perms: 31, scheme: 'digest', id: `${name}:secret` }];
const internBytes = (table: AclTable, acls: readonly Acl[]): number => {
  const bytes = encodeAcls(acls);
  return table.internBytes(bytes, 0, bytes.length);
};

test('equal lists have one id, which begins at 1; the open list has its own', () => {
  const table = new AclTable(HASH);
  assert.equal(table.intern(OPEN_ACL), OPEN_ACL_ID);
  assert.equal(internBytes(table, OPEN_ACL), OPEN_ACL_ID);
  assert.equal(table.isOpen(OPEN_ACL_ID), true);
  assert.deepEqual(table.get(OPEN_ACL_ID), OPEN_ACL);
  assert.equal(table.intern(list('a')), 1);
  assert.equal(internBytes(table, list('a')), 1);
  assert.equal(table.intern(list('b')), 2);
  assert.equal(table.isOpen(1), false);
  assert.deepEqual(table.get(2), list('b'));
  assert.deepEqual(table.encoded(2), encodeAcls(list('b')));
  assert.equal(table.size, 2);
});

test('bytes that are not canonical find the list all the same', () => {
  const table = new AclTable(HASH);
  const id = table.intern([{ perms: 31, scheme: 'digest', id: '' }]);
  const nullId = Buffer.from('00000001' + '0000001f' + '00000006646967657374' + 'ffffffff', 'hex');
  assert.equal(table.find(nullId, 0, nullId.length), NO_ACL);
  assert.equal(table.internBytes(nullId, 0, nullId.length), id);
});

test('getACL without ADMIN hides digests', () => {
  const table = new AclTable(HASH);
  const id = table.intern(list('bob'));
  assert.deepEqual(decodeAcls(table.encodedMasked(id), 0), [{ perms: 31, scheme: 'digest', id: 'bob:x' }]);
  assert.equal(table.encodedMasked(id), table.encodedMasked(id), 'made once');
  assert.deepEqual(table.encodedMasked(OPEN_ACL_ID), table.encoded(OPEN_ACL_ID));
});

test('an id lives as long as it has references, and until the end of the turn without', () => {
  const table = new AclTable(HASH);
  const a = table.intern(list('a'));
  const b = table.intern(list('b'));
  table.addReference(a);
  table.dropUnreferenced();
  assert.deepEqual(table.get(a), list('a'));
  assert.throws(() => table.get(b), /no ACL/);
  table.release(a);
  assert.equal(table.intern(list('a')), a, 'still there');
  table.addReference(a);
  table.dropUnreferenced();
  assert.deepEqual(table.get(a), list('a'));
  table.release(a);
  table.dropUnreferenced();
  assert.equal(table.size, 0);
  assert.throws(() => table.release(a), /no ACL/);
  const c = table.intern(list('c'));
  assert.ok(c === a || c === b, 'ids are used again');
  assert.throws(() => table.release(c), /more often/);
  table.addReference(OPEN_ACL_ID);
  table.release(OPEN_ACL_ID);
  table.release(OPEN_ACL_ID);
});

test('the table behaves like a counted Map', () => {
  const step = fc.tuple(fc.constantFrom('add', 'release', 'turn'), fc.constantFrom('a', 'b', 'c', 'd', 'e'));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new AclTable(HASH);
      const counts = new Map<string, number>();
      for (const [action, name] of steps) {
        const count = counts.get(name) ?? 0;
        if (action === 'add') {
          table.addReference(table.intern(list(name)));
          counts.set(name, count + 1);
        } else if (action === 'release' && count > 0) {
          table.release(table.intern(list(name)));
          counts.set(name, count - 1);
        } else {
          table.intern(list(name));
          table.dropUnreferenced();
          assert.equal(table.size, [...counts.values()].filter((n) => n > 0).length);
        }
      }
      for (const [name, count] of counts) {
        const bytes = encodeAcls(list(name));
        const id = table.find(bytes, 0, bytes.length);
        if (count > 0) assert.deepEqual(table.get(id), list(name));
      }
    }),
  );
});

test('the ACL cache of a snapshot, out and in again', () => {
  const table = new AclTable(HASH);
  const ids = ['a', 'b', 'c'].map((name) => table.intern(list(name)));
  table.addReference(ids[0]!);
  table.addReference(ids[2]!);
  const out = new Uint8Array(table.encodedLength() + 3);
  assert.equal(table.encodeAll(out, 3), out.length);
  const view = new DataView(out.buffer);
  assert.equal(view.getInt32(3), 2, 'b has no reference');

  const copy = new AclTable(HASH);
  copy.intern(list('other'));
  let at = 7;
  for (let i = 0; i < 2; i++) {
    const fileId = Number(view.getBigInt64(at));
    const end = at + 8 + encodeAcls(decodeAcls(out, at + 8)).length;
    copy.load(fileId, out, at + 8, end);
    at = end;
  }
  assert.equal(at, out.length);
  // The tree of a leader comes over many turns, and each ends so.
  copy.dropUnreferenced();
  const a = copy.loadedId(ids[0]!);
  copy.addReference(a);
  assert.deepEqual(copy.get(a), list('a'));
  assert.equal(copy.loadedId(OPEN_ACL_ID), OPEN_ACL_ID);
  assert.equal(copy.finishLoad(), 0);
  assert.equal(copy.size, 1, 'lists without a node are dropped');
});

test('ids of a file may be any, several for one list, and even missing', () => {
  const table = new AclTable(HASH);
  const big = 2 ** 40;
  const a = encodeAcls(list('a'));
  const open = encodeAcls(OPEN_ACL);
  table.load(big, a, 0, a.length);
  table.load(7, a, 0, a.length);
  table.load(8, open, 0, open.length);
  assert.equal(table.loadedId(big), table.loadedId(7));
  assert.equal(table.loadedId(8), OPEN_ACL_ID);
  const closed = table.loadedId(9);
  const options = { skipAcl: false, digestEnabled: true, superDigest: null };
  const providers = new AuthProviders(options, { digestBase64: () => '' });
  assert.equal(checkAcl(table.get(closed), Perm.all, [], providers), false);
  assert.equal(checkAcl(table.get(closed), Perm.all, [{ scheme: 'super', id: '' }], providers), true);
  assert.equal(table.finishLoad(), 1);
});
