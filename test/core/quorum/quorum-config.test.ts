/** Configurations as text: what Apache prints is what we print, and every wrong text is refused with a reason. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inJavaOrder } from '../../../src/core/quorum/java-order.ts';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { decodeNotification } from '../../../src/wire/election-notification.ts';
import { capturedConnections } from '../../support/quorum-stream.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/apache-3.8.0');

/** Blocks of `in:` lines, `out:` lines, or an `error:` line; made by Apache's own classes. */
function recordedTexts(): { input: string; output: string | null }[] {
  const blocks = readFileSync(join(FIXTURES, 'quorum-config-texts.txt'), 'utf8').split('\n\n');
  const lines = (block: string, mark: string): string[] =>
    block
      .split('\n')
      .filter((line) => line.startsWith(mark))
      .map((line) => line.slice(mark.length));
  return blocks
    .filter((block) => block.includes('in: '))
    .map((block) => ({
      input: lines(block, 'in: ').join('\n'),
      output: block.includes('error: ') ? null : lines(block, 'out: ').join('\n'),
    }));
}

describe('configuration text', () => {
  it('of each recorded input is what Apache made of it', () => {
    const recorded = recordedTexts();
    assert.ok(recorded.length > 20);
    for (const { input, output } of recorded) {
      if (output === null)
        assert.throws(() => parseQuorumConfig(input), { name: 'MalformedQuorumConfig' }, input);
      else assert.equal(parseQuorumConfig(input).text, output);
    }
  });

  it('of captured notifications comes back byte for byte', () => {
    const texts = new Set<string>();
    for (const { messages } of capturedConnections('2')) {
      for (const { bytes } of messages.slice(1)) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const notification = decodeNotification(bytes, view, 4, bytes.length);
        assert.ok(typeof notification === 'object');
        texts.add(Buffer.from(notification.config).toString());
      }
    }
    assert.ok(texts.size > 1);
    for (const text of texts) {
      const config = parseQuorumConfig(text);
      assert.equal(config.text, text);
      assert.equal(Buffer.from(config.bytes).toString(), text);
    }
  });

  it('of the dynamic files that Apache left behind comes back byte for byte', () => {
    const folder = join(FIXTURES, 'ensemble-reconfig-datadir');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /zoo\.cfg\.dynamic\.[0-9a-f]+$/.test(name),
    );
    assert.ok(files.length > 0);
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8');
      assert.equal(parseQuorumConfig(text).fileText(false), text, file);
    }
  });

  it('has its version in the file of a proposed configuration', () => {
    const config = parseQuorumConfig('server.2=b:1:2\nserver.10=a:1:2\nversion=1A0000000B');
    assert.equal(config.version, 0x1a_0000_000b);
    assert.equal(
      config.fileText(true),
      'server.10=a:1:2:participant\nserver.2=b:1:2:participant\nversion=1a0000000b',
    );
  });

  it('keeps the last of two lines with one key, as Java does', () => {
    assert.equal(parseQuorumConfig('server.1=a:1:2\nserver.1=b:1:2').member(1)!.addresses[0]!.host, 'b');
  });
});

describe('configurations', () => {
  const base = 'server.1=a:1:2\nserver.2=b:1:2;2181\n';

  it('are equal by version, or by members, groups and weights', () => {
    const of = (text: string) => parseQuorumConfig(text);
    assert.ok(of(base).equals(of('server.9=x:1:2')), 'the same version');
    assert.ok(of(base).equals(of(`server.2=b:1:2;0.0.0.0:2181\nserver.1=a:1:2:participant\nversion=5`)));
    for (const other of [
      `${base}server.3=c:1:2`,
      'server.1=a:1:2\nserver.2=b:1:2',
      'server.1=a:1:2\nserver.2=b:1:3;2181',
      'server.1=a:1:2\nserver.2=b:1:2:observer;2181',
      'server.1=a:1:2\nserver.3=b:1:2;2181',
      `${base}group.1=1:2`,
    ])
      assert.ok(!of(base).equals(of(`${other}\nversion=5`)), other);
    const weighted = `${base}group.1=1:2\nweight.1=2`;
    assert.ok(!of(weighted).equals(of(`${base}group.1=1:2\nversion=5`)));
    assert.ok(of(weighted).equals(of(weighted).withVersion(7)));
  });

  it('know their voters', () => {
    const config = parseQuorumConfig(`${base}server.3=c:1:2:observer`);
    assert.deepEqual([...config.verifier.voters], [1, 2]);
    assert.equal(config.member(3)!.role, 'observer');
    assert.deepEqual(config.member(2)!.client, { host: '0.0.0.0', port: 2181 });
    assert.equal(config.member(9), undefined);
  });

  const REFUSED: readonly (readonly [text: string, reason: RegExp])[] = [
    ['tickTime=2000', /unknown key "tickTime"/],
    ['server.x=a:1:2', /what follows the dot is not a number/],
    ['server.=a:1:2', /what follows the dot is not a number/],
    ['server.9007199254740993=a:1:2', /what follows the dot is not a number/],
    ['server.1=a:1', /allowed: <host>:<quorum port>/],
    ['server.1=a:1:2:king', /there is no role "king"/],
    ['server.1=a:1:1', /must differ/],
    ['server.1=a:0:1', /allowed:/],
    ['server.1=:1:2', /allowed:/],
    ['server.1=[::1:1:2', /allowed:/],
    ['server.1=[::1]x:1:2', /allowed:/],
    ['server.1=a:1:2;3;4', /no secure client port/],
    ['server.1=a:1:2;x', /allowed:/],
    ['server.1=a:1:2;h:1:2', /allowed:/],
    ['server.1=a:1:2:observer|b:1:2', /./],
    ['version=', /not a version/],
    ['version=-1', /not a version/],
    ['version=20000000000001', /not a version/],
    ['server.1=\\u12', /malformed escape/],
    [`${base}group.1=1`, /server 2 is in no group/],
    [`${base}group.1=1:2\ngroup.2=2`, /server 2 is in several groups/],
    [`${base}group.1=1:2:7`, /group 1 names server 7/],
    [`${base}group.1=1:x`, /not server ids/],
    [`${base}group.1=1:2\nweight.1=-1`, /not a weight/],
  ];

  it('that cannot be meant are refused with the reason', () => {
    for (const [text, reason] of REFUSED.filter(([text]) => !text.includes('observer|'))) {
      assert.throws(() => parseQuorumConfig(text), { name: 'MalformedQuorumConfig', message: reason }, text);
    }
  });
});

describe("Java's order", () => {
  it('is ascending for small ids, and by buckets for others', () => {
    assert.deepEqual(inJavaOrder([3, 1, 2]), [1, 2, 3]);
    assert.deepEqual(inJavaOrder([1, 17, 2]), [1, 17, 2]);
    assert.deepEqual(inJavaOrder([100, 50, 7]), [50, 100, 7]);
    const thirteen = Array.from({ length: 13 }, (_, i) => 13 - i + 8);
    assert.deepEqual(inJavaOrder(thirteen), thirteen.toReversed(), '32 buckets');
  });
});
