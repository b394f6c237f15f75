import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AuthId } from '../../../src/core/acl/acl.ts';
import { maskAcls, READ_ONLY_ACL } from '../../../src/core/acl/acl.ts';
import { checkAcl, fixupAcl, fixupAclBytes, MALFORMED } from '../../../src/core/acl/acl-check.ts';
import { decodeAcls, encodeAcls } from '../../../src/core/acl/acl-format.ts';
import { AclTable, NO_ACL, OPEN_ACL_ID } from '../../../src/core/acl/acl-table.ts';
import type { AuthOptions } from '../../../src/core/acl/auth-providers.ts';
import { AuthProviders, userName } from '../../../src/core/acl/auth-providers.ts';
import type { CryptoPort } from '../../../src/core/ports/ports.ts';
import type { Acl } from '../../../src/wire/acl.ts';
import { OPEN_ACL, Perm } from '../../../src/wire/acl.ts';
import { HASH } from '../support/hash.ts';

const crypto: CryptoPort = {
  digestBase64: (bytes) => createHash('sha1').update(bytes).digest('base64'),
};

function providersWith(options: Partial<AuthOptions> = {}): AuthProviders {
  return new AuthProviders({ skipAcl: false, digestEnabled: true, superDigest: null, ...options }, crypto);
}

const providers = providersWith();
const acl = (perms: number, scheme: string, id: string): Acl => ({ perms, scheme, id });
const id = (scheme: string, name: string): AuthId => ({ scheme, id: name });
const ip = id('ip', '127.0.0.1');
/** The digest of user "super", password "test", known from ZooKeeper's own documentation and tests. */
const SUPER_DIGEST = 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=';

test('who may do what', () => {
  const bob = id('digest', 'bob:x');
  const cases: [string, Acl[], number, AuthId[], boolean][] = [
    ['open', [...OPEN_ACL], Perm.write, [ip], true],
    ['empty list allows', [], Perm.admin, [], true],
    ['read only list, read', [...READ_ONLY_ACL], Perm.read, [ip], true],
    ['read only list, write', [...READ_ONLY_ACL], Perm.write, [ip], false],
    ['any wanted bit suffices', [acl(Perm.admin, 'world', 'anyone')], Perm.read | Perm.admin, [ip], true],
    ['no bit', [acl(0, 'world', 'anyone')], Perm.all, [ip], false],
    ['bits above 31 grant nothing', [acl(0x40, 'world', 'anyone')], Perm.all, [ip], false],
    ['negative perms grant all', [acl(-1, 'world', 'anyone')], Perm.delete, [ip], true],
    ['super passes', [acl(0, 'world', 'anyone')], Perm.all, [ip, id('super', '')], true],
    ['digest equal', [acl(31, 'digest', 'bob:x')], Perm.read, [ip, bob], true],
    ['digest other', [acl(31, 'digest', 'eve:x')], Perm.read, [ip, bob], false],
    ['digest not authenticated', [acl(31, 'digest', 'bob:x')], Perm.read, [ip], false],
    ['second entry', [acl(1, 'digest', 'eve:x'), acl(2, 'digest', 'bob:x')], Perm.write, [bob], true],
    [
      'bit of another entry',
      [acl(1, 'digest', 'bob:x'), acl(2, 'digest', 'eve:x')],
      Perm.write,
      [bob],
      false,
    ],
    ['ip', [acl(31, 'ip', '127.0.0.0/8')], Perm.read, [ip], true],
    ['ip elsewhere', [acl(31, 'ip', '10.0.0.0/8')], Perm.read, [ip], false],
    ['scheme of the id counts', [acl(31, 'digest', '127.0.0.1')], Perm.read, [ip], false],
    ['unregistered scheme', [acl(31, 'sasl', 'bob')], Perm.read, [id('sasl', 'bob')], false],
    ['world with another id', [acl(31, 'world', 'bob')], Perm.read, [id('world', 'bob')], false],
    ['super is not for ACLs', [acl(31, 'super', '')], Perm.read, [ip], false],
  ];
  for (const [name, list, perm, ids, allowed] of cases) {
    assert.equal(checkAcl(list, perm, ids, providers), allowed, name);
    assert.equal(checkAcl(list, perm, ids, providersWith({ skipAcl: true })), true, name);
  }
});

test('what a request stores', () => {
  const alice = id('digest', 'alice:1');
  const bob = id('digest', 'bob:2');
  const open = OPEN_ACL[0]!;
  const cases: [string, Acl[], AuthId[], Acl[] | null][] = [
    ['open', [open], [ip], [open]],
    ['empty', [], [ip], null],
    [
      'duplicates go, order stays',
      [acl(1, 'ip', '1.2.3.4'), open, acl(1, 'ip', '1.2.3.4')],
      [],
      [acl(1, 'ip', '1.2.3.4'), open],
    ],
    [
      'same id with other perms is no duplicate',
      [acl(1, 'world', 'anyone'), open],
      [],
      [acl(1, 'world', 'anyone'), open],
    ],
    [
      'strange perms are kept',
      [acl(0, 'world', 'anyone'), acl(-1, 'world', 'anyone')],
      [],
      [acl(0, 'world', 'anyone'), acl(-1, 'world', 'anyone')],
    ],
    ['world:bob', [acl(31, 'world', 'bob')], [ip], null],
    ['super', [acl(31, 'super', '')], [id('super', '')], null],
    ['unknown scheme', [acl(31, 'foo', 'bar')], [ip], null],
    ['no scheme', [acl(31, '', '')], [ip], null],
    ['sasl is not registered', [acl(31, 'sasl', 'bob')], [ip], null],
    ['digest syntax', [acl(31, 'digest', 'nocolon')], [ip], null],
    ['one bad entry spoils all', [open, acl(31, 'digest', 'a:b:c')], [ip], null],
    [
      'auth',
      [acl(5, 'auth', '')],
      [ip, alice, id('super', ''), bob],
      [acl(5, 'digest', 'alice:1'), acl(5, 'digest', 'bob:2')],
    ],
    ['the id of auth is ignored', [acl(5, 'auth', 'whatever')], [alice], [acl(5, 'digest', 'alice:1')]],
    ['auth without authentication', [acl(5, 'auth', '')], [ip, id('super', '')], null],
    [
      'auth among others',
      [open, acl(1, 'auth', ''), acl(2, 'ip', '::1/128')],
      [bob],
      [open, acl(1, 'digest', 'bob:2'), acl(2, 'ip', '::1/128')],
    ],
  ];
  for (const [name, list, ids, stored] of cases)
    assert.deepEqual(fixupAcl(list, ids, providers), stored, name);
});

test('null texts: where Apache comes to call one it fails, elsewhere it refuses or does not look', () => {
  const bob = id('digest', 'bob:2');
  const entry = (perms: number, scheme: string | null, name: string | null) => ({ perms, scheme, id: name });
  const open = entry(31, 'world', 'anyone');
  const cases: [string, ReturnType<typeof entry>[], Acl[] | null | typeof MALFORMED][] = [
    ['id of world', [entry(31, 'world', null)], MALFORMED],
    ['id of digest', [entry(31, 'digest', null)], MALFORMED],
    ['id of ip', [entry(31, 'ip', null)], MALFORMED],
    ['id of auth, as kazoo sends it', [entry(31, 'auth', null)], [acl(31, 'digest', 'bob:2')]],
    ['id of an unknown scheme', [entry(31, 'foo', null)], null],
    ['scheme', [entry(31, null, 'x')], null],
    ['behind what is refused', [entry(31, 'foo', 'x'), entry(31, 'world', null)], null],
    ['before what is refused', [entry(31, 'world', null), entry(31, 'foo', 'x')], MALFORMED],
    ['two schemes', [entry(31, null, 'x'), entry(31, null, 'x')], MALFORMED],
    ['a scheme behind the same perms', [open, entry(31, null, 'x')], MALFORMED],
    ['a scheme behind other perms', [open, entry(1, null, 'x')], null],
    ['a scheme before the same perms', [entry(31, null, 'x'), open], null],
    ['ids of auth twice', [entry(31, 'auth', null), entry(31, 'auth', null)], MALFORMED],
    [
      'ids of auth with other perms',
      [entry(1, 'auth', null), entry(2, 'auth', null)],
      [acl(1, 'digest', 'bob:2'), acl(2, 'digest', 'bob:2')],
    ],
    ['compared although refused later', [entry(31, 'foo', 'x'), entry(31, 'foo', null)], MALFORMED],
    ['not compared from the other side', [entry(31, 'foo', null), entry(31, 'foo', 'x')], null],
  ];
  for (const [name, list, stored] of cases) assert.deepEqual(fixupAcl(list, [bob], providers), stored, name);
});

test('many null texts are compared in one pass', () => {
  const list = Array.from({ length: 10_000 }, (_, i) => ({ perms: i, scheme: 'auth', id: null }));
  assert.equal((fixupAcl(list, [id('digest', 'bob:2')], providers) as readonly Acl[]).length, 10_000);
});

test('auth entries cannot blow a request up without bound', () => {
  const ids = Array.from({ length: 200 }, (_, i) => id('digest', `u${i}:x`));
  const list = Array.from({ length: 200 }, (_, i) => acl(i, 'auth', ''));
  assert.equal(fixupAcl(list, ids, providers), null);
  assert.equal((fixupAcl(list.slice(0, 50), ids, providers) as readonly Acl[]).length, 10_000);
});

test('fix-up on bytes gives what fix-up on lists gives', () => {
  const table = new AclTable(HASH);
  const entry = fc.record(
    {
      perms: fc.constantFrom(1, 31),
      scheme: fc.constantFrom('world', 'digest', 'ip', 'auth', 'foo'),
      id: fc.constantFrom('anyone', 'bob:x', '10.0.0.1', ''),
    },
    { noNullPrototype: true },
  );
  const caller = fc.subarray([ip, id('digest', 'bob:x'), id('digest', 'eve:y'), id('super', '')]);
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 3 }), caller, (list, ids) => {
      const bytes = encodeAcls(list);
      const framed = new Uint8Array(bytes.length + 6);
      framed.set(bytes, 3);
      const found = fixupAclBytes(table, framed, 3, 3 + bytes.length, ids, providers);
      const expected = fixupAcl(list, ids, providers);
      if (expected === null) assert.equal(found, NO_ACL);
      else assert.deepEqual(table.get(found), expected);
    }),
    { numRuns: 2000 },
  );
});

test('a list that a file brought in is not taken for one that fix-up has accepted', () => {
  const table = new AclTable(HASH);
  const bytes = encodeAcls([acl(31, 'sasl', 'bob')]);
  const fromLog = table.internBytes(bytes, 0, bytes.length);
  assert.equal(table.isSettled(fromLog), false);
  assert.equal(fixupAclBytes(table, bytes, 0, bytes.length, [ip], providers), NO_ACL);
});

test('known lists are found again without decoding', () => {
  const table = new AclTable(HASH);
  const open = encodeAcls(OPEN_ACL);
  assert.equal(fixupAclBytes(table, open, 0, open.length, [], providers), OPEN_ACL_ID);
  const bytes = encodeAcls([acl(31, 'digest', 'bob:x')]);
  const first = fixupAclBytes(table, bytes, 0, bytes.length, [], providers);
  assert.equal(table.isSettled(first), true);
  assert.equal(fixupAclBytes(table, bytes, 0, bytes.length, [], providers), first);
  const auth = encodeAcls([acl(31, 'auth', '')]);
  const expanded = fixupAclBytes(table, auth, 0, auth.length, [id('digest', 'bob:x')], providers);
  assert.equal(expanded, first);
  assert.equal(fixupAclBytes(table, auth, 0, auth.length, [], providers), NO_ACL);
});

test('null strings and a null vector read as empty', () => {
  assert.deepEqual(decodeAcls(Buffer.from('ffffffff', 'hex'), 0), []);
  const bytes = Buffer.from('00000001' + '0000001f' + '0000000461757468' + 'ffffffff', 'hex');
  assert.deepEqual(decodeAcls(bytes, 0), [acl(31, 'auth', '')]);
});

test('lists survive encoding', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 5 });
  const entry = fc.record({ perms: fc.integer(), scheme: text, id: text }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(entry), (list) => {
      assert.deepEqual(decodeAcls(encodeAcls(list), 0), list);
    }),
  );
});

test('digest ids', () => {
  const digest = providers.get('digest')!;
  const cases: [string, boolean][] = [
    ['a:b', true],
    [':b', true],
    ['a:b:', true],
    ['a:b::', true],
    ['a:', false],
    [':', false],
    ['', false],
    ['a', false],
    ['a:b:c', false],
    ['::b', false],
    ['a::b', false],
  ];
  for (const [text, valid] of cases) assert.equal(digest.isValidId(text), valid, text);
});

test('an auth packet', () => {
  const withSuper = providersWith({ superDigest: SUPER_DIGEST });
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  const own = id('digest', SUPER_DIGEST);
  assert.deepEqual(providers.authenticate('digest', bytes('super:test')), [own]);
  assert.deepEqual(withSuper.authenticate('digest', bytes('super:test')), [id('super', ''), own]);
  const wrong = withSuper.authenticate('digest', bytes('super:tes'));
  assert.equal(wrong?.length, 1);
  // The user is what stands before the first colon, all of it without one; the digest covers everything.
  const colons = 'bob:' + createHash('sha1').update('bob:a:b').digest('base64');
  assert.deepEqual(providers.authenticate('digest', bytes('bob:a:b')), [id('digest', colons)]);
  const plain = 'bob:' + createHash('sha1').update('bob').digest('base64');
  assert.deepEqual(providers.authenticate('digest', bytes('bob')), [id('digest', plain)]);
  assert.deepEqual(providers.authenticate('ip', bytes('anything')), []);
  for (const scheme of ['world', 'super', 'auth', 'sasl', 'foo', '']) {
    assert.equal(providers.authenticate(scheme, bytes('a:b')), null, scheme);
  }
  assert.equal(providersWith({ digestEnabled: false }).authenticate('digest', bytes('a:b')), null);
});

test('what others see of an id', () => {
  const list = [
    acl(31, 'digest', 'bob:secret:more'),
    acl(1, 'digest', 'odd'),
    acl(1, 'ip', '::1'),
    ...OPEN_ACL,
  ];
  assert.deepEqual(maskAcls(list), [acl(31, 'digest', 'bob:x'), ...list.slice(1)]);
  assert.equal(userName(id('digest', 'bob:secret')), 'bob');
  assert.equal(userName(ip), '127.0.0.1');
  assert.equal(userName(id('super', '')), '');
});

test('a list of 10,000 entries against a thousand ids: compared once for each caller, with the same outcome', () => {
  let compared = 0;
  const counting = providersWith();
  const digest = counting.get('digest')!;
  const matches = digest.matches.bind(digest);
  digest.matches = (caller, entry) => {
    compared++;
    return matches(caller, entry);
  };
  const ids = [ip, ...Array.from({ length: 1000 }, (_, i) => id('digest', `user-${i}:x`))];
  const entries = Array.from({ length: 10_000 }, (_, i) => acl(1 << (i % 5), 'digest', `other-${i}:x`));
  assert.equal(checkAcl(entries, Perm.all, ids, counting), false);
  assert.equal(
    checkAcl([...entries, acl(Perm.write, 'digest', 'user-999:x')], Perm.write, ids, counting),
    true,
  );
  assert.equal(
    checkAcl([...entries, acl(Perm.write, 'digest', 'user-999:x')], Perm.read, ids, counting),
    false,
  );
  assert.equal(checkAcl([...entries, acl(Perm.read, 'ip', '127.0.0.0/8')], Perm.read, ids, counting), true);
  assert.equal(checkAcl([...entries, acl(Perm.read, 'none', 'user-1:x')], Perm.read, ids, counting), false);
  assert.equal(compared, 0, 'ten million comparisons are looked up instead');
  assert.equal(
    checkAcl(entries, Perm.all, [...ids, id('digest', 'other-7:x')], counting),
    true,
    'one more is proven',
  );
});

test('a list with more entries than any application has is refused', () => {
  const table = new AclTable(HASH);
  const bytesOf = (count: number): Uint8Array =>
    encodeAcls(Array.from({ length: count }, (_, i) => acl(1, 'digest', `user-${i}:x`)));
  const most = bytesOf(10_000);
  const tooMany = bytesOf(10_001);
  assert.notEqual(fixupAclBytes(table, most, 0, most.length, [ip], providers), NO_ACL);
  assert.equal(fixupAclBytes(table, tooMany, 0, tooMany.length, [ip], providers), NO_ACL);
});

test('different lists without end are refused before they fill the memory, and taken again when some have gone', () => {
  const table = new AclTable(HASH);
  const intern = (n: number): number => {
    const bytes = encodeAcls([acl(1, 'digest', `${n}${'u'.repeat(1_000_000)}:x`)]);
    const found = fixupAclBytes(table, bytes, 0, bytes.length, [ip], providers);
    if (found !== NO_ACL) table.addReference(found);
    return found;
  };
  const kept: number[] = [];
  for (let found = intern(0); found !== NO_ACL; found = intern(kept.length)) kept.push(found);
  assert.ok(kept.length >= 64 && kept.length < 70, `${kept.length} lists of 1 MB`);
  for (const found of kept) table.release(found);
  table.dropUnreferenced();
  assert.notEqual(intern(1000), NO_ACL);
});
