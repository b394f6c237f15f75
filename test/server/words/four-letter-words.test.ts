/** Our answers beside those that Apache 3.8.0 gave (test/fixtures/four-letter-words): equal where the facts are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dateText, doubleText, socketAddressText } from '../../../src/server/monitor/java-text.ts';
import type { ConnectionView } from '../../../src/server/monitor/server-view.ts';
import { versionLine } from '../../../src/server/monitor/version.ts';
import {
  ASKING,
  apacheView,
  ask,
  COUNTS,
  golden,
  OF_A,
  OF_B,
  textOf,
  wordOf,
  wordsOf,
} from './support/apache-view.ts';

/** Apache measures these and we do not: a line with 0 would be a lie. */
const UNMEASURED = new RegExp(
  `^zk_(?:(?:avg|min|max|cnt|sum|p50|p95|p99|p999)_)?(?:${['watch_bytes', 'proposal_process_time', 'socket_closing_time', 'node_created_watch_count', 'node_deleted_watch_count', 'node_children_watch_count', 'node_changed_watch_count', 'connection_token_deficit', 'prep_processor_queue_time_ms', 'close_session_prep_time', 'request_throttle_queue_time_ms', 'read_final_proc_time_ms', 'write_final_proc_time_ms', 'sync_processor_queue_time_ms'].join('|')})$`,
);

/** `key=value` or `key TAB value` lines to [key, kind of value]. */
function shape(text: string, separator: string): Map<string, string> {
  const kinds = new Map<string, string>();
  for (const line of text.split('\n')) {
    const cut = line.indexOf(separator);
    if (cut < 0) continue;
    const value = line.slice(cut + 1);
    const kind = /^-?\d+$/.test(value) ? 'integer' : /^-?\d+\.\d+$/.test(value) ? 'double' : 'text';
    kinds.set(line.slice(0, cut), kind);
  }
  return kinds;
}

describe('answers equal to those of Apache', () => {
  for (const name of [
    'ruok',
    'conf',
    'cons',
    'crst',
    'srst',
    'dirs',
    'dump',
    'wchs',
    'wchc',
    'wchp',
    'isro',
    'hash',
    'gtmk',
  ]) {
    it(name, () => assert.equal(ask(name), golden(name)));
  }

  it('srvr and stat, but for the version', () => {
    const ours = (text: string): string =>
      text.replace(/^Zookeeper version: .*$/m, `Zookeeper version: ${versionLine()}`);
    assert.equal(ask('srvr'), ours(golden('srvr')));
    const later = apacheView({
      counts: () => ({ ...COUNTS, packetsReceived: 161, packetsSent: 160 }),
      connections: () => [ASKING, OF_A, OF_B],
    });
    assert.equal(ask('stat', later), ours(golden('stat')));
  });

  it('cons after crst', () => {
    const reset = (view: ConnectionView): ConnectionView => ({
      ...view,
      received: 0,
      sent: 0,
      session: {
        ...view.session!,
        lastOpcode: 0,
        lastXid: -1,
        lastZxid: -1,
        lastResponseMs: 0,
        lastLatencyMs: 0,
        maxLatencyMs: 0,
      },
    });
    const view = apacheView({ connections: () => [ASKING, reset(OF_A), reset(OF_B)] });
    assert.equal(ask('cons', view), golden('cons-after-crst'));
  });

  it('stmk and gtmk', () => {
    const words = wordsOf(apacheView());
    assert.equal(textOf(words.answer(wordOf('stmk'), 511n)), golden('stmk'));
    assert.equal(textOf(words.answer(wordOf('gtmk'), null)), '511');
    assert.equal(textOf(words.answer(wordOf('stmk'), null)), '', 'without its argument');
  });

  it('envi has the same keys in the same order', () => {
    assert.deepEqual([...shape(ask('envi'), '=').keys()], [...shape(golden('envi'), '=').keys()]);
  });

  it('mntr has the same keys with the same kinds of values', () => {
    const sorted = (text: string) =>
      [...shape(text, '\t')]
        .filter(([key]) => !key.endsWith('_per_namespace') && !UNMEASURED.test(key))
        .sort();
    assert.deepEqual(sorted(ask('mntr')), sorted(golden('mntr')));
    for (const key of shape(ask('mntr'), '\t').keys()) assert.doesNotMatch(key, UNMEASURED, 'not measured');
  });
});

describe('mntr', () => {
  it('prints what the server recorded', () => {
    const text = ask(
      'mntr',
      apacheView({
        metrics: () => ({
          counter: (name) => (name === 'snap_count' ? 7 : 0),
          summary: (name) => (name === 'readlatency' ? { count: 4, sum: 2.1, min: 0.2, max: 1.4 } : null),
          percentiles: (name) => (name === 'readlatency' ? { p50: 1, p95: 2, p99: 3, p999: 4.4 } : null),
          own: () => [
            ['threading', 'shared'],
            ['log_fsync_ms', 12.345],
          ],
        }),
      }),
    );
    for (const line of [
      'zk_snap_count\t7',
      'zk_avg_readlatency\t0.525',
      'zk_min_readlatency\t0',
      'zk_max_readlatency\t1',
      'zk_cnt_readlatency\t4',
      'zk_sum_readlatency\t2',
      'zk_p999_readlatency\t4',
      'zk_avg_latency\t0.4737',
      'zk_ringkeeper_threading\tshared',
      'zk_ringkeeper_log_fsync_ms\t12.345',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
    assert.match(
      text,
      /^zk_version\t3\.8\.0-ringkeeper-\S+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC\nzk_server_state\tstandalone\n/,
    );
  });
});

describe('whitelist and state', () => {
  it('answers only what is listed, and srvr always', () => {
    const words = wordsOf(apacheView(), 'ruok');
    assert.equal(textOf(words.answer(wordOf('ruok'), null)), 'imok');
    assert.match(textOf(words.answer(wordOf('srvr'), null)), /^Zookeeper version: /);
    const refusal = (name: string): string => `${name} is not executed because it is not in the whitelist.\n`;
    assert.equal(textOf(words.answer(wordOf('mntr'), null)), refusal('mntr'));
    assert.equal(textOf(words.answer(wordOf('isro'), null)), refusal('isro'));
    assert.equal(textOf(words.answer(wordOf('\xff\xf4\xff\xfd'), null)), refusal('telnet close'));
  });

  it('says nothing to what is no word', () => {
    assert.equal(ask('lead'), '');
    assert.equal(ask('\xff\xf4\xff\xfd'), '');
  });

  it('does not read a server that does not serve', () => {
    const fail = (): never => assert.fail('the view must not be read');
    const view = apacheView({
      serving: false,
      counts: fail,
      connections: fail,
      digests: fail,
      metrics: fail,
    });
    for (const name of ['srvr', 'stat', 'cons', 'mntr', 'conf', 'crst']) {
      assert.equal(ask(name, view), 'This ZooKeeper instance is not currently serving requests\n');
    }
    assert.equal(ask('hash', view), 'This ZooKeeper instance is not currently serving requests');
    assert.equal(ask('isro', view), 'null');
    assert.equal(ask('ruok', view), 'imok');
  });

  it('resets on crst and srst', () => {
    const calls: string[] = [];
    const view = apacheView({
      resetConnectionStats: () => {
        calls.push('crst');
        return [];
      },
      resetServerStats: () => void calls.push('srst'),
    });
    ask('crst', view);
    ask('srst', view);
    assert.deepEqual(calls, ['crst', 'srst']);
  });
});

describe('text as Java writes it', () => {
  it('doubles', () => {
    const cases = [
      [0, '0.0'],
      [3, '3.0'],
      [0.473684, '0.4737'],
      [0.0005, '5.0E-4'],
      [12345678, '1.2345678E7'],
      [-1, '-1.0'],
    ] as const;
    for (const [value, text] of cases) assert.equal(doubleText(value), text);
  });

  it('dates and addresses', () => {
    assert.equal(dateText(Date.UTC(2026, 0, 2, 3, 4, 5)), 'Fri Jan 02 03:04:05 UTC 2026');
    assert.equal(socketAddressText('10.0.0.1', 80), '/10.0.0.1:80');
    assert.equal(socketAddressText('::1', 80), '/[::1]:80');
  });
});
