/** Strategies, records and bytes of service instances, without a server. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  decodeInstance,
  encodeInstance,
  type ServiceInstance,
  uriOf,
  uriSpecOf,
} from '../../src/recipes/discovery/instance.ts';
import { EJECTION_DEFAULT, InstanceRecord } from '../../src/recipes/discovery/instance-record.ts';
import { type Candidate, type SelectionName, selectionOf } from '../../src/recipes/discovery/selection.ts';

const INSTANCE: ServiceInstance = {
  name: 'web',
  id: 'a',
  address: '10.0.0.1',
  port: 80,
  sslPort: null,
  payload: null,
  registeredMs: 5,
  serviceType: 'DYNAMIC',
  uriSpec: null,
  enabled: true,
};

function candidate(id: string, facts: Partial<Candidate<unknown>> = {}): Candidate<unknown> {
  return { instance: { ...INSTANCE, id }, inFlight: 0, latencyMs: null, weight: 1, ...facts };
}

/** Which ids come out, with chance as given, over and over. */
function chosen(
  name: SelectionName,
  candidates: readonly Candidate<unknown>[],
  chances: readonly number[],
  count: number,
): string {
  const select = selectionOf(name);
  let next = 0;
  const random = (): number => chances[next++ % chances.length]!;
  return Array.from({ length: count }, () => select(candidates, random).instance.id).join('');
}

it('chooses as each strategy says', () => {
  const three = [candidate('a'), candidate('b'), candidate('c')];
  assert.equal(chosen('roundRobin', three, [0.4], 7), 'bcabcab');
  assert.equal(chosen('random', three, [0, 0.5, 0.99], 3), 'abc');
  assert.equal(chosen('sticky', three, [0.99, 0, 0], 4), 'cccc');
  const weighted = [
    candidate('a', { weight: 0 }),
    candidate('b', { weight: 1 }),
    candidate('c', { weight: 3 }),
  ];
  assert.equal(chosen('weighted', weighted, [0, 0.24, 0.26, 0.9999], 4), 'bbcc');
  assert.equal(chosen('weighted', [candidate('a', { weight: 0 })], [0.5], 1), 'a');
  const loaded = [
    candidate('a', { inFlight: 2 }),
    candidate('b', { inFlight: 1 }),
    candidate('c', { inFlight: 1 }),
  ];
  assert.equal(chosen('leastLoaded', loaded, [0, 0.99], 4), 'bcbc');
});

it('takes the better of two, whatever their order, and gives no herd to who has not answered yet', () => {
  const both = [
    candidate('a', { inFlight: 1, latencyMs: 10 }),
    candidate('b', { inFlight: 0, latencyMs: 30 }),
  ];
  assert.equal(chosen('powerOfTwo', both, [0, 0, 0.99, 0], 2), 'aa');
  const fresh = [candidate('a', { inFlight: 1 }), candidate('b', { inFlight: 0, latencyMs: 30 })];
  assert.equal(chosen('powerOfTwo', fresh, [0, 0, 0.99, 0], 2), 'bb');
  assert.equal(chosen('powerOfTwo', [candidate('a')], [0.9], 1), 'a');
});

it('keeps to a sticky choice until it is gone, and goes round whatever comes and goes', () => {
  const sticky = selectionOf('sticky');
  const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
  assert.equal(
    sticky([a, b], () => 0.9),
    b,
  );
  assert.equal(
    sticky([a, b, c], () => 0),
    b,
  );
  assert.equal(
    sticky([a, c], () => 0.9),
    c,
  );
  assert.equal(
    sticky([a, b, c], () => 0),
    c,
  );
  const round = selectionOf('roundRobin');
  const seen = [[a, b, c], [a, b, c], [a], [a, b, c]].map((all) => round(all, () => 0.9).instance.id);
  assert.deepEqual(seen, ['c', 'a', 'a', 'b']);
  assert.throws(() => selectionOf('best' as SelectionName), TypeError);
});

it('leaves out who fails in a row, for a time', () => {
  const record = new InstanceRecord();
  assert.equal(record.failed(0, EJECTION_DEFAULT), false);
  record.succeeded(10);
  record.succeeded(20);
  assert.equal(record.latencyMs, 12);
  assert.equal(record.failed(10, EJECTION_DEFAULT), false);
  // Too long ago to count as the first of a row.
  assert.equal(record.failed(30_011, EJECTION_DEFAULT), false);
  assert.equal(record.failed(30_012, EJECTION_DEFAULT), true);
  record.eject(30_012, EJECTION_DEFAULT);
  assert.ok(record.isOut(60_011));
  assert.ok(!record.isOut(60_012));
  assert.equal(record.failed(60_013, EJECTION_DEFAULT), false);
});

it('writes an instance as Curator does, and reads back what it wrote', () => {
  const text =
    '{"name":"web","id":"a","address":"10.0.0.1","port":80,"sslPort":null,"payload":{"@class":"x.Y","weight":2},' +
    '"registrationTimeUTC":5,"serviceType":"DYNAMIC","uriSpec":{"parts":[{"value":"scheme","variable":true},' +
    '{"value":"://","variable":false},{"value":"address","variable":true}]}}';
  const read = decodeInstance(text);
  assert.equal(encodeInstance(read), text);
  assert.equal(uriOf(read), 'http://10.0.0.1');
  assert.deepEqual(read.uriSpec, uriSpecOf('{scheme}://{address}'));
  const off = { ...INSTANCE, enabled: false };
  assert.deepEqual(decodeInstance(encodeInstance(off)), off);
  assert.equal(decodeInstance('{"name":"n","id":"i","unknown":[1]}').port, null);
  for (const [wrong, why] of [
    ['[]', /JSON object/],
    ['{"id":"i"}', /^TypeError: name/],
    ['{"name":"n","id":"i","port":70000}', /port: 70000/],
    ['{"name":"n","id":"i","serviceType":"OTHER"}', /serviceType/],
    ['{"name":"n","id":"i","uriSpec":{}}', /uriSpec/],
    ['{"name":"n","id":"i","uriSpec":{"parts":[null]}}', /uriSpec/],
    ['{"name":"n","id":"i","registrationTimeUTC":"now"}', /registrationTimeUTC/],
  ] as const)
    assert.throws(() => decodeInstance(wrong), why);
});

it('makes URLs', () => {
  assert.equal(uriOf(INSTANCE), 'http://10.0.0.1:80');
  assert.equal(uriOf({ ...INSTANCE, sslPort: 443 }), 'https://10.0.0.1:443');
  assert.equal(uriOf({ ...INSTANCE, port: null, sslPort: 443 }), 'https://10.0.0.1:443');
  const own = { ...INSTANCE, uriSpec: uriSpecOf('{scheme}://{host}:{port}/{[}{service-type}{]}') };
  assert.equal(uriOf(own, { host: 'h' }), 'http://h:80/{dynamic}');
  assert.throws(() => uriOf(own), /\{host\}/);
  assert.throws(() => uriOf({ ...INSTANCE, port: null }), /\{port\}/);
});
