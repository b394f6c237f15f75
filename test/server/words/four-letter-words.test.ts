/** Our answers beside those that Apache 3.8.0 gave (test/fixtures/four-letter-words): equal where the facts are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { WordAnswer } from '../../../src/core/ports/word-answer.ts';
import { readServerConfig } from '../../../src/server/config/server-config.ts';
import type { FileFacts, FileFigures } from '../../../src/server/monitor/file-facts.ts';
import { dateText, doubleText, socketAddressText } from '../../../src/server/monitor/java-text.ts';
import type {
  Bucket,
  ConnectionView,
  ServerCounts,
  ServerView,
} from '../../../src/server/monitor/server-view.ts';
import { versionLine } from '../../../src/server/monitor/version.ts';
import { FourLetterWords } from '../../../src/server/words/four-letter-words.ts';

const A = 0x100001b184c0000n;
const B = 0x100001b184c0001n;

function golden(name: string): string {
  return readFileSync(
    join(import.meta.dirname, '..', '..', 'fixtures', 'four-letter-words', `${name}.txt`),
    'latin1',
  );
}

function wordOf(name: string): number {
  return Buffer.from(name, 'latin1').readInt32BE();
}

const COUNTS: ServerCounts = {
  latency: { count: 152, sum: 72, min: 0, max: 6 },
  packetsReceived: 160,
  packetsSent: 159,
  connections: 3,
  outstanding: 0,
  lastZxid: 0x94,
  nodes: 11,
  ephemerals: 3,
  ephemeralSessions: 2,
  watches: 4,
  sessions: 2,
  dataBytes: 78,
  uptimeMs: 446,
  authFailures: 0,
  lastReplyBytes: 84,
  minReplyBytes: 16,
  maxReplyBytes: 93,
};

const ASKING: ConnectionView = {
  address: '127.0.0.1',
  port: 50003,
  interestOps: 0,
  queued: 0,
  received: 1,
  sent: 0,
  session: null,
};

const OF_A: ConnectionView = {
  address: '127.0.0.1',
  port: 50001,
  interestOps: 1,
  queued: 0,
  received: 147,
  sent: 147,
  session: {
    id: A,
    lastOpcode: 5,
    establishedWallMs: 1795160103674,
    timeoutMs: 10000,
    lastXid: 0x92,
    lastZxid: 0x94,
    lastResponseMs: 1776033,
    lastLatencyMs: 0,
    minLatencyMs: 0,
    averageLatencyMs: 0,
    maxLatencyMs: 6,
  },
};

const OF_B: ConnectionView = {
  address: '127.0.0.1',
  port: 50002,
  interestOps: 1,
  queued: 0,
  received: 5,
  sent: 5,
  session: {
    id: B,
    lastOpcode: 8,
    establishedWallMs: 1795160103685,
    timeoutMs: 20000,
    lastXid: 4,
    lastZxid: 8,
    lastResponseMs: 1775902,
    lastLatencyMs: 1,
    minLatencyMs: 0,
    averageLatencyMs: 0,
    maxLatencyMs: 1,
  },
};

function at(time: string): number {
  return Date.parse(`2026-11-20T07:35:${time}Z`);
}

function bucket<T>(time: string, members: readonly T[]): Bucket<T> {
  return { expiresWallMs: at(time), count: members.length, members };
}

/** What takes a step to collect. */
function* madeOf<T>(value: T): Generator<null, T> {
  yield null;
  return value;
}

function filesOf(figures: FileFigures): FileFacts {
  return { ask: () => {}, answered: () => () => true, figures: () => figures };
}

/** The whole answer, as a client gets it. */
function textOf(answer: WordAnswer): string {
  const pieces: Uint8Array[] = [];
  for (let piece = answer.next(); piece !== null; piece = answer.next()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** The server of the golden files, as far as the words ask. */
function apacheView(changes: Partial<ServerView> = {}): ServerView {
  return {
    serving: true,
    mode: 'standalone',
    counts: () => COUNTS,
    connections: () => [OF_A, OF_B, ASKING],
    sessionBuckets: () => madeOf([bucket('13', []), bucket('15', [A]), bucket('23', [B])]),
    connectionBuckets: () =>
      madeOf([
        bucket('17', [
          { address: '127.0.0.1', port: 50003, sessionId: 0n },
          { address: '127.0.0.1', port: 50001, sessionId: A },
        ]),
        bucket('27', [{ address: '127.0.0.1', port: 50002, sessionId: B }]),
      ]),
    ephemerals: () => [
      { sessionId: B, paths: ['/ephb'] },
      { sessionId: A, paths: ['/eph2', '/eph'] },
    ],
    watches: () => ({ connections: 2, paths: 2, watches: 3 }),
    watchesBySession: () => [
      { sessionId: A, paths: [null, '/a', null, '/nope'] },
      { sessionId: 77n, paths: [null] },
      { sessionId: B, paths: ['/a'] },
    ],
    watchesByPath: () => [
      { path: '/a', sessionIds: [A, null, B] },
      null,
      { path: '/children', sessionIds: [null] },
      { path: '/nope', sessionIds: [A] },
    ],
    digests: () => [{ zxid: 0x80, digest: 12156545775n }],
    files: filesOf({ dataDirBytes: 67109337, dataLogDirBytes: 67109337, openFiles: 61, openFilesMax: 1024 }),
    metrics: () => ({ counter: () => 0, summary: () => null, percentiles: () => null, own: () => [] }),
    resetConnectionStats: () => [null],
    resetServerStats: () => {},
    ...changes,
  };
}

function wordsOf(
  view: ServerView,
  whitelist = '*',
  onFailure: (word: string, error: unknown) => void = (_, error) => assert.fail(String(error)),
): FourLetterWords {
  const { config } = readServerConfig({
    file: null,
    overrides: [
      { flag: '--set', key: 'dataDir', value: '/var/lib/zookeeper' },
      { flag: '--set', key: 'clientPort', value: '0' },
      { flag: '--set', key: 'tickTime', value: '2000' },
      { flag: '--set', key: '4lw.commands.whitelist', value: whitelist },
    ],
  });
  return new FourLetterWords({ view, config, clientPort: 2181, onFailure });
}

/** Apache measures these and we do not: a line with 0 would be a lie. */
const UNMEASURED = new RegExp(
  `^zk_(?:(?:avg|min|max|cnt|sum|p50|p95|p99|p999)_)?(?:${['watch_bytes', 'proposal_process_time', 'socket_closing_time', 'node_created_watch_count', 'node_deleted_watch_count', 'node_children_watch_count', 'node_changed_watch_count', 'connection_token_deficit', 'prep_processor_queue_time_ms', 'close_session_prep_time', 'request_throttle_queue_time_ms', 'read_final_proc_time_ms', 'write_final_proc_time_ms', 'sync_processor_queue_time_ms'].join('|')})$`,
);

function ask(name: string, view = apacheView(), argument: bigint | null = null): string {
  return textOf(wordsOf(view).answer(wordOf(name), argument));
}

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
