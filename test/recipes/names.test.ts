/** Names of contenders, of each family of clients. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { contendersOf, newName, parseName } from '../../src/recipes/contenders/names.ts';

const UUID = '2b6c0b5e-4a7e-4a3a-9d0a-0123456789ab';

for (const [name, kind, dialect, sequence] of [
  [`_c_${UUID}-lock-0000000007`, 'lock', 'curator', 7],
  [`_c_${UUID}-__READ__0000000007`, 'read', 'curator', 7],
  [`_c_${UUID}-__WRIT__0000000007`, 'write', 'curator', 7],
  [`_c_${UUID}-latch-0000000007`, 'latch', 'curator', 7],
  [`_c_${UUID}-lock--2147483648`, 'lock', 'curator', -2147483648],
  [`${UUID.replaceAll('-', '')}__lock__0000000007`, 'lock', 'kazoo', 7],
  [`${UUID.replaceAll('-', '')}__rlock__0000000007`, 'read', 'kazoo', 7],
  [`${UUID.replaceAll('-', '')}__lock__-2147483647`, 'lock', 'kazoo', -2147483647],
  ['x-72057594037927936-0000000007', 'lock', 'zookeeper', 7],
  ['x-0x1000000000000000-0000000007', 'lock', 'zookeeper', 7],
  [`x-0x1000000000000000-${UUID.replaceAll('-', '')}-0000000007`, 'lock', 'zookeeper', 7],
  [`x-0x1000000000000000-${UUID.replaceAll('-', '')}--2147483648`, 'lock', 'zookeeper', -2147483648],
] as const) {
  it(`reads ${name}`, () => {
    assert.deepEqual(parseName(name), { name, kind, dialect, sequence });
  });
}

it('reads what it makes', () => {
  for (const [dialect, kind] of [
    ['curator', 'lock'],
    ['curator', 'read'],
    ['kazoo', 'lock'],
    ['zookeeper', 'lock'],
  ] as const) {
    const { name, prefix } = newName(dialect, kind, UUID, 0x1000n);
    assert.ok(name.startsWith(prefix));
    const read = parseName(`${name}0000000001`);
    assert.deepEqual([read?.dialect, read?.kind, read?.sequence], [dialect, kind, 1]);
  }
});

it('ignores what is no contender, and orders by signed number', () => {
  const names = [
    'other',
    '0000000001',
    `a-lock-0000000002`,
    `b-lock--2147483648`,
    `c-lock-0000000001`,
    'lock-1',
  ];
  assert.deepEqual(
    contendersOf(names).map((one) => one.name[0]),
    ['b', 'c', 'a'],
  );
});
