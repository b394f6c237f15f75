import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipMatches, isIpPattern } from '../../../src/core/acl/ip-pattern.ts';

test('patterns an ACL may hold', () => {
  const valid = [
    '1.2.3.4',
    '0.0.0.0/0',
    '255.255.255.255/32',
    '01.2.3.4',
    '::',
    '::1',
    '1::',
    'fe80::1/64',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    'FFFF:ffff::0/128',
    '0:0:0:0:0:0:0:1/0',
  ];
  for (const pattern of valid) assert.equal(isIpPattern(pattern), true, pattern);
});

test('patterns it may not', () => {
  const invalid = [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.-4',
    '1.2.3.',
    '1.2.3.4/',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/8/8',
    '1.2.3.x',
    'localhost',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7:',
    '::1/129',
    '::1/',
    '::ffff:1.2.3.4',
    'fe80::1%eth0',
  ];
  for (const pattern of invalid) assert.equal(isIpPattern(pattern), false, pattern);
});

test('matching compares both after masking, within one family', () => {
  const cases: [string, string, boolean][] = [
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '10.1.2.255/24', true],
    ['10.1.2.3', '10.1.3.0/24', false],
    ['10.1.3.3', '10.1.2.0/23', true],
    ['10.1.4.3', '10.1.2.0/23', false],
    ['10.1.2.3', '99.0.0.0/0', true],
    ['10.1.2.3', '10.1.2.3/33', false],
    ['0:0:0:0:0:0:0:1', '::1', true],
    ['2001:db8:0:0:0:0:0:1', '2001:DB8::/32', true],
    ['2001:db9:0:0:0:0:0:1', '2001:db8::/32', false],
    ['2001:db9:0:0:0:0:0:1', '2001:db8::/31', true],
    ['0:0:0:0:0:0:0:1', '0.0.0.0/0', false],
    ['10.1.2.3', '::/0', false],
    ['unknown', '0.0.0.0/0', false],
    ['10.1.2.3', 'unknown', false],
  ];
  for (const [address, pattern, matches] of cases) {
    assert.equal(ipMatches(address, pattern), matches, `${address} ${pattern}`);
  }
});

test('masking agrees with arithmetic on 32 bits', () => {
  const dotted = (value: number): string =>
    [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(address, fc.nat(32), fc.nat(32), (value, bits, flip) => {
      const other = flip === 32 ? value : (value ^ (1 << flip)) >>> 0;
      const expected = Math.floor(value / 2 ** (32 - bits)) === Math.floor(other / 2 ** (32 - bits));
      assert.equal(ipMatches(dotted(value), `${dotted(other)}/${bits}`), expected);
    }),
  );
});
