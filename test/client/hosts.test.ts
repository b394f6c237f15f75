/** Where a client connects: connect strings, rounds, and the balance when the list of servers changes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { type Host, hostText, parseConnectString } from '../../src/client/connect-string.ts';
import { HostList } from '../../src/client/hosts.ts';

const hosts = (names: string): Host[] => [...names].map((name) => ({ name, port: 2181 }));

describe('connect string', () => {
  it('is servers, ports, IPv6 addresses and a root', () => {
    const read = parseConnectString(' zk1, zk2:2182 ,[::1]:2183,[fe80::2]/app/x');
    assert.deepEqual(read.hosts.map(hostText), ['zk1:2181', 'zk2:2182', '[::1]:2183', '[fe80::2]:2181']);
    assert.equal(read.chroot, '/app/x');
    assert.equal(parseConnectString('a/').chroot, '');
    assert.equal(parseConnectString('dns-srv://zk.example/app').srvName, 'zk.example');
  });

  for (const [text, part] of [
    ['', 'no server'],
    ['/app', 'no server'],
    ['a:b', '"a:b"'],
    ['a:0', 'no valid port'],
    ['a:99999', 'no valid port'],
    ['::1', '"::1"'],
    ['a/app/', 'ends with /'],
    ['a/app//b', 'empty name'],
    ['dns-srv:///x', 'no name'],
  ] as const) {
    it(`refuses "${text}" and says what is wrong`, () => {
      assert.throws(
        () => parseConnectString(text),
        (error: Error) => error.message.includes(part),
      );
    });
  }
});

describe('host list', () => {
  it('tries each server once a round, and begins behind the one that worked', () => {
    const list = new HostList(hosts('abc'), new Prng(3).fraction.bind(new Prng(3)));
    const round = [list.take(), list.take(), list.take()];
    assert.equal(new Set(round.map(hostText)).size, 3);
    assert.ok(list.atRoundEnd);
    list.onConnected(round[0]!);
    assert.equal(list.rounds, 0);
    assert.deepEqual(list.take(), round[1]);
  });

  /** Share of clients per server after a change of the list, each client where the arithmetic sent it. */
  function shares(before: string, after: string): Map<string, number> {
    const prng = new Prng(11);
    const random = (): number => prng.fraction();
    const clients = 40_000;
    const counts = new Map<string, number>();
    for (let i = 0; i < clients; i++) {
      const list = new HostList(hosts(before), random);
      const current = list.take();
      list.onConnected(current);
      const leaves = list.update(hosts(after), current);
      const { name } = leaves ? list.take() : current;
      counts.set(name, (counts.get(name) ?? 0) + 1 / clients);
    }
    return counts;
  }

  for (const [before, after] of [
    ['abc', 'abcde'],
    ['abcde', 'abc'],
    ['abc', 'cde'],
    ['abc', 'cdef'],
    ['abcd', 'abx'],
    ['abc', 'xyz'],
  ] as const) {
    it(`keeps the load level from ${before} to ${after}`, () => {
      const found = shares(before, after);
      for (const name of after) {
        const share = found.get(name) ?? 0;
        assert.ok(Math.abs(share - 1 / after.length) < 0.015, `${name} has ${share}`);
      }
    });
  }
});
