/** What `--target` means, and that whatever it refuses names the value and what is allowed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTargetSpec, type TargetSpec, withSettings } from '../../../bench/target/target-spec.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';

const local = (port: number) => ({ host: '127.0.0.1', port });

type Read = Omit<TargetSpec, 'text'> & Record<string, unknown>;
const accepted: Readonly<Record<string, Read>> = {
  embedded: { kind: 'embedded', settings: {} },
  ringkeeper: { kind: 'embedded', settings: {} },
  'embedded:snapCount=5, ringkeeper.directIo=false': {
    kind: 'embedded',
    settings: { snapCount: '5', 'ringkeeper.directIo': 'false' },
  },
  'apache:tickTime=500': { kind: 'apache', settings: { tickTime: '500' } },
  'apache:superDigest=super:aGFzaA==': { kind: 'apache', settings: { superDigest: 'super:aGFzaA==' } },
  'apache:empty=': { kind: 'apache', settings: { empty: '' } },
  'embedded:1': { kind: 'embedded', settings: {} },
  'apache:1:tickTime=500': { kind: 'apache', settings: { tickTime: '500' } },
  'apache:3': {
    kind: 'ensemble',
    ...{ name: 'apache-3', settings: {}, voters: ['apache', 'apache', 'apache'], observers: [] },
  },
  'ringkeeper:1+2:snapCount=5,tickTime=500': {
    kind: 'ensemble',
    ...{ name: 'embedded-1+2', settings: { snapCount: '5', tickTime: '500' } },
    ...{ voters: ['ringkeeper'], observers: ['ringkeeper', 'ringkeeper'] },
  },
  'embedded:3+0': {
    kind: 'ensemble',
    ...{
      name: 'embedded-3',
      settings: {},
      voters: ['ringkeeper', 'ringkeeper', 'ringkeeper'],
      observers: [],
    },
  },
  'mixed:2+1': {
    kind: 'ensemble',
    ...{ name: 'mixed-2+1', settings: {}, voters: ['ringkeeper', 'ringkeeper', 'apache'], observers: [] },
  },
  'mixed:1+1+1:tickTime=500': {
    kind: 'ensemble',
    ...{ name: 'mixed-1+1+1', settings: { tickTime: '500' } },
    ...{ voters: ['ringkeeper', 'apache'], observers: ['ringkeeper'] },
  },
  null: { kind: 'null', delayMs: 0 },
  'null:delayMs=2.5': { kind: 'null', delayMs: 2.5 },
  'commit:HEAD~1': { kind: 'commit', rev: 'HEAD~1', settings: {} },
  'commit:origin/x^2:snapCount=5': { kind: 'commit', rev: 'origin/x^2', settings: { snapCount: '5' } },
  'zoo-1.example.org:2181': { kind: 'external', addresses: [{ host: 'zoo-1.example.org', port: 2181 }] },
  '127.0.0.1:1,127.0.0.1:2, 127.0.0.1:3': { kind: 'external', addresses: [local(1), local(2), local(3)] },
  '[::1]:2181,[fe80::1%eth0]:65535': {
    kind: 'external',
    addresses: [
      { host: '::1', port: 2181 },
      { host: 'fe80::1%eth0', port: 65535 },
    ],
  },
};

for (const [text, expected] of Object.entries(accepted)) {
  test(`"${text}" is understood`, () => {
    const { text: kept, ...spec } = parseTargetSpec(text);
    assert.equal(kept, text);
    assert.deepEqual(spec, expected);
  });
}

const refused: readonly (readonly [text: string, allowed: RegExp])[] = [
  ['', /embedded, commit:REV, apache, embedded:3, apache:5\+2 .* or host:port,host:port/],
  ['embeded', /embedded, commit:REV/],
  ['localhost', /host:port/],
  ['localhost:', /host:port/],
  ['localhost:0', /ports are 1 to 65535/],
  ['localhost:65536', /ports are 1 to 65535/],
  ['::1:2181', /IPv6 stands in brackets/],
  ['[::1]', /host:port/],
  ['a:1,b', /not "b"/],
  ['a:1,,b:2', /not ""/],
  ['a:1,b:2,a:1', /each server once, not a:1 again/],
  ['embedded:', /key=value,key=value .* not ""/],
  ['embedded:snapCount', /key=value.* not "snapCount"/],
  ['embedded:a=1,b', /not "b" \(a value holds no comma\)/],
  ['embedded:=5', /not "=5"/],
  ['embedded:a=1,a=2', /each key once, not a again/],
  ['embedded:dataDir=/x', /any key but dataDir/],
  ['apache:clientPort=2181', /any key but clientPort/],
  ['apache:a=1\nb=2', /key=value/],
  ['apache:0', /apache:N or apache:N\+O \(O of them observers\), 1 to 25 servers/],
  ['apache:0+3', /1 to 25 servers/],
  ['apache:26', /1 to 25 servers/],
  ['embedded:20+6', /embedded:N or embedded:N\+O .* 1 to 25 servers/],
  ['apache:3+', /1 to 25 servers/],
  ['apache:+2', /1 to 25 servers/],
  ['apache:3+1+1', /1 to 25 servers/],
  ['apache:3.5', /1 to 25 servers/],
  ['apache:-3', /key=value/],
  ['apache:3,tickTime=500', /then perhaps :key=value,key=value/],
  ['apache:3:', /key=value/],
  ['apache:3:server.4=x', /any key but server\.4/],
  ['apache:3:clientPort=1', /any key but clientPort/],
  ['mixed', /mixed:A\+B \(A servers of ringkeeper, B of Apache/],
  ['mixed:3', /mixed:A\+B/],
  ['mixed:0+3', /mixed:A\+B/],
  ['mixed:3+0', /mixed:A\+B/],
  ['null:5', /key=value/],
  ['null:delay=5', /null:delayMs=N, not delay/],
  ['null:delayMs=-1', /delayMs from 0 to 10000/],
  ['null:delayMs=', /delayMs from 0 to 10000/],
  ['null:delayMs=1e9', /delayMs from 0 to 10000/],
  ['commit', /commit:REV, e\.g\. commit:HEAD~1/],
  ['commit:', /commit:REV/],
  ['commit:--all', /commit:REV/],
  ['commit:HEAD:snapCount', /not "snapCount"/],
];

for (const [text, allowed] of refused) {
  test(`"${text}" is refused`, () => {
    assert.throws(
      () => parseTargetSpec(text),
      (error: Error) => {
        assert.ok(error instanceof ConfigFailure);
        assert.ok(error.message.startsWith(`--target: "${text}" - allowed: `), error.message);
        assert.match(error.message, allowed);
        return true;
      },
    );
  });
}

test('further settings win over those of the target, which keep their place in its text', () => {
  const settings = { flushDelay: '1', snapCount: '5' };
  for (const [text, wanted] of [
    ['embedded', 'embedded:flushDelay=1,snapCount=5'],
    ['embedded:3', 'embedded:3:flushDelay=1,snapCount=5'],
    ['apache:2+1:snapCount=9,a=b:c', 'apache:2+1:snapCount=5,a=b:c,flushDelay=1'],
    ['commit:HEAD~1', 'commit:HEAD~1:flushDelay=1,snapCount=5'],
  ] as const) {
    const spec = withSettings(parseTargetSpec(text), settings);
    assert.equal(spec.text, wanted);
    assert.ok(
      'settings' in spec && spec.settings['flushDelay'] === '1' && spec.settings['snapCount'] === '5',
    );
  }
  assert.equal(withSettings(parseTargetSpec('embedded:3'), {}).text, 'embedded:3');
  for (const text of ['null', '127.0.0.1:2181'])
    assert.throws(() => withSettings(parseTargetSpec(text), settings), ConfigFailure);
});
