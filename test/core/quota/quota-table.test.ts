import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuotaEntry, QuotaPort } from '../../../src/core/quota/quota-table.ts';
import { QuotaTable } from '../../../src/core/quota/quota-table.ts';
import { formatQuotaText, parseQuotaText } from '../../../src/core/quota/quota-text.ts';
import { HASH } from '../support/hash.ts';

/** Drives the table with text; the subtree counts are what the test says. */
class Driver {
  readonly soft: string[] = [];
  counted = { count: 0, bytes: 0 };
  asked = '';
  private readonly port: QuotaPort = {
    countSubtree: ({ path }) => {
      this.asked = Buffer.from(path).toString();
      return this.counted;
    },
    overSoftLimit: (quota) => this.soft.push(Buffer.from(quota.path).toString()),
  };
  readonly table = new QuotaTable(HASH, this.port);

  created(path: string, text: string): string | null {
    return this.shown(this.table.onCreated(...located(path), ...located(text)));
  }

  content(path: string, text: string): void {
    this.table.onContent(...located(path), ...located(text));
  }

  deleted(path: string): void {
    this.table.onDeleted(...located(path));
  }

  /** `stats path: text` of the node to rewrite. */
  account(path: string, count: number, bytes: number): string | null {
    return this.shown(this.table.account(...located(path), count, bytes));
  }

  allowsCreate(path: string, bytes: number): boolean {
    return this.table.allowsCreate(...located(path), bytes);
  }

  allowsSetData(path: string, delta: number): boolean {
    return this.table.allowsSetData(...located(path), delta);
  }

  /** Makes both nodes, as the client tools do. */
  quota(path: string, limits: string, usage = { count: 1, bytes: 0 }): void {
    this.counted = usage;
    this.created(`/zookeeper/quota${path}/zookeeper_limits`, limits);
    this.created(`/zookeeper/quota${path}/zookeeper_stats`, 'count=0,bytes=0');
  }

  shown(quota: QuotaEntry | null): string | null {
    return quota && `${Buffer.from(quota.statsPath)}: ${this.table.statsText(quota)}`;
  }
}

function located(text: string): [Uint8Array, number, number] {
  return [Buffer.from(`/zookeeper_limits${text}/`), 17, Buffer.byteLength(text)];
}

test('quota text', () => {
  const none = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 };
  const cases: [string, Partial<typeof none>][] = [
    ['', {}],
    ['count=3,bytes=40', { count: 3, bytes: 40 }],
    [
      'count=10,bytes=-1=;byteHardLimit=1000;countHardLimit=20',
      { count: 10, byteHardLimit: 1000, countHardLimit: 20 },
    ],
    ['bytes=5', { bytes: 5 }],
    ['count=,bytes=7', { bytes: 7 }],
    ['count,bytes=7', { bytes: 7 }],
    ['count=1,;,bytes=2;;', { count: 1, bytes: 2 }],
    ['count=x,bytes=1e3', {}],
    ['count=1,count=2', { count: 2 }],
    ['other=4,__proto__=1', {}],
  ];
  for (const [text, numbers] of cases) assert.deepEqual(parseQuotaText(text), { ...none, ...numbers }, text);
  for (const text of ['count=3,bytes=40', cases[2]![0], 'count=-1,bytes=-1=;countHardLimit=0']) {
    assert.equal(formatQuotaText(parseQuotaText(text)), text);
  }
});

test('without quotas nothing is accounted and everything allowed', () => {
  const q = new Driver();
  assert.equal(q.account('/a', 1, 10), null);
  assert.equal(q.allowsCreate('/a', 10), true);
  assert.equal(q.created('/a', 'count=1'), null);
});

test('creating the stats node counts the subtree, each write then moves the numbers', () => {
  const q = new Driver();
  q.counted = { count: 3, bytes: 40 };
  assert.equal(q.created('/zookeeper/quota/app/zookeeper_limits', 'count=10,bytes=100'), null);
  assert.equal(q.account('/app/x', 1, 5), null, 'no stats node yet');
  const stats = '/zookeeper/quota/app/zookeeper_stats';
  assert.equal(q.created(stats, 'count=0,bytes=0'), `${stats}: count=3,bytes=40`);
  assert.equal(q.asked, '/app');
  assert.equal(q.account('/app/x', 1, 5), `${stats}: count=4,bytes=45`);
  assert.equal(q.account('/app', 0, -15), `${stats}: count=4,bytes=30`, 'the node itself counts');
  assert.equal(q.account('/app/x', -1, -5), `${stats}: count=3,bytes=25`);
  assert.equal(q.account('/application', 1, 1), null, 'by component');
  assert.equal(q.account('/', 0, 1), null);
});

test('only the deepest marked path is accounted', () => {
  const q = new Driver();
  q.quota('/a', 'count=9');
  q.quota('/a/b/c', 'count=9');
  assert.match(q.account('/a/b', 1, 0)!, /^\/zookeeper\/quota\/a\/zookeeper_stats: count=2,/);
  assert.match(q.account('/a/b/c/d', 1, 0)!, /^\/zookeeper\/quota\/a\/b\/c\/zookeeper_stats: count=2,/);
  q.deleted('/zookeeper/quota/a/b/c/zookeeper_limits');
  assert.match(q.account('/a/b/c/d', 1, 0)!, /^\/zookeeper\/quota\/a\/zookeeper_stats: count=3,/);
});

test('deleting the limits unmarks; the stats go on from where they stood when the limits come back', () => {
  const q = new Driver();
  q.quota('/a', 'count=9', { count: 5, bytes: 6 });
  q.deleted('/zookeeper/quota/a/zookeeper_limits');
  assert.equal(q.account('/a/x', 1, 1), null);
  q.created('/zookeeper/quota/a/zookeeper_limits', 'count=9');
  assert.match(q.account('/a/x', 1, 1)!, /count=6,bytes=7$/);
  q.deleted('/zookeeper/quota/a/zookeeper_stats');
  assert.equal(q.account('/a/x', 1, 1), null);
  assert.equal(q.allowsCreate('/a/x', 1), true, 'nothing to compare with');
  q.deleted('/zookeeper/quota/a/zookeeper_limits');
  q.deleted('/zookeeper/quota/a/zookeeper_limits');
  assert.deepEqual(q.table.recountAll(), []);
});

test('a client may write the stats node', () => {
  const q = new Driver();
  q.quota('/a', 'count=9');
  q.content('/zookeeper/quota/a/zookeeper_stats', 'count=100,bytes=7');
  assert.match(q.account('/a/x', 1, 1)!, /count=101,bytes=8$/);
  q.content('/zookeeper/quota/a/zookeeper_stats', '');
  assert.match(q.account('/a/x', 1, 1)!, /count=0,bytes=0$/, 'missing numbers read as -1');
});

test('names that look like quota nodes but are not', () => {
  const q = new Driver();
  const others = [
    '/zookeeper/quota/zookeeper_limits',
    '/zookeeper/quota/a/zookeeper_limits2',
    '/zookeeper/quota/a/my_zookeeper_limits',
    '/zookeeper/quotas/a/zookeeper_limits',
    '/a/zookeeper_limits',
    '/zookeeper/quota',
    '/zookeeper/quota/',
    '/zookeeper_limits',
    '',
  ];
  for (const path of others) {
    assert.equal(q.created(path, 'countHardLimit=0'), null);
    q.deleted(path);
  }
  assert.equal(q.created('/zookeeper/quota/zookeeper_stats', ''), null, 'the root cannot have a quota');
  assert.equal(q.allowsCreate('/a/b', 1), true);
  assert.equal(q.allowsCreate('/x', 1), true);
});

test('hard limits', () => {
  const usage = { count: 3, bytes: 10 };
  const cases: [string, 'create' | 'set', number, boolean, string][] = [
    ['countHardLimit=4', 'create', 0, true, 'count + 1 = limit'],
    ['countHardLimit=3', 'create', 0, false, 'count + 1 > limit'],
    ['countHardLimit=3', 'set', 1000, true, 'setData does not count nodes'],
    ['byteHardLimit=15', 'create', 5, true, 'bytes + len = limit'],
    ['byteHardLimit=15', 'create', 6, false, 'bytes + len > limit'],
    ['byteHardLimit=15', 'set', 5, true, 'grows to the limit'],
    ['byteHardLimit=15', 'set', 6, false, 'grows over it'],
    ['byteHardLimit=5', 'set', -3, false, 'a shrink that stays above is refused'],
    ['byteHardLimit=5', 'set', -5, true, 'a shrink to the limit is not'],
    ['byteHardLimit=5', 'set', 0, true, 'a zero difference is not checked'],
    ['byteHardLimit=5', 'create', 0, true, 'neither is an empty create'],
    ['countHardLimit=9;byteHardLimit=10', 'create', 1, false, 'either limit'],
    ['count=1,bytes=1=;byteHardLimit=99;countHardLimit=99', 'create', 1, true, 'soft ignored beside hard'],
    ['count=1,bytes=1', 'create', 1, true, 'soft limits refuse nothing'],
    ['', 'create', 1000, true, 'no limit'],
    ['countHardLimit=0', 'create', 0, false, 'zero is a limit'],
  ];
  for (const [limits, op, bytes, allowed, why] of cases) {
    const q = new Driver();
    q.quota('/q', limits, usage);
    assert.equal(
      op === 'create' ? q.allowsCreate('/q/n', bytes) : q.allowsSetData('/q/n', bytes),
      allowed,
      why,
    );
  }
});

test('going over a soft limit is reported', () => {
  const q = new Driver();
  q.quota('/q', 'count=3,bytes=10=;countHardLimit=100', { count: 3, bytes: 10 });
  assert.equal(q.allowsCreate('/q/n', 0), true);
  assert.deepEqual(q.soft, [], 'the soft count limit is ignored beside the hard one');
  assert.equal(q.allowsCreate('/q/n', 1), true);
  assert.deepEqual(q.soft, ['/q']);
});

test('limits can be changed by setData', () => {
  const q = new Driver();
  q.quota('/q', 'countHardLimit=1', { count: 1, bytes: 0 });
  assert.equal(q.allowsCreate('/q/n', 0), false);
  q.content('/zookeeper/quota/q/zookeeper_limits', 'countHardLimit=2');
  assert.equal(q.allowsCreate('/q/n', 0), true);
});

test('at start-up nodes are found in any order and every marked subtree is counted', () => {
  const q = new Driver();
  q.content('/zookeeper/quota/a/zookeeper_stats', 'count=99,bytes=99');
  q.content('/zookeeper/quota/a/zookeeper_limits', 'count=1');
  q.content('/zookeeper/quota/b/zookeeper_limits', 'count=1');
  q.content('/zookeeper/quota/c/zookeeper_stats', 'count=5,bytes=5');
  q.counted = { count: 2, bytes: 3 };
  const rewritten = q.table.recountAll().map((quota) => q.shown(quota));
  assert.deepEqual(rewritten, ['/zookeeper/quota/a/zookeeper_stats: count=2,bytes=3']);
});
