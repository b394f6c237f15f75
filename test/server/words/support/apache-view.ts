/** The server of the golden files (test/fixtures/four-letter-words), as far as the words ask, and how it is asked. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WordAnswer } from '../../../../src/core/ports/word-answer.ts';
import { readServerConfig } from '../../../../src/server/config/server-config.ts';
import type { FileFacts, FileFigures } from '../../../../src/server/monitor/file-facts.ts';
import type {
  Bucket,
  ConnectionView,
  ServerCounts,
  ServerView,
} from '../../../../src/server/monitor/server-view.ts';
import { FourLetterWords } from '../../../../src/server/words/four-letter-words.ts';

export const A = 0x100001b184c0000n;
export const B = 0x100001b184c0001n;

export function golden(name: string): string {
  return readFileSync(
    join(import.meta.dirname, '..', '..', '..', 'fixtures', 'four-letter-words', `${name}.txt`),
    'latin1',
  );
}

export function wordOf(name: string): number {
  return Buffer.from(name, 'latin1').readInt32BE();
}

export const COUNTS: ServerCounts = {
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
  localSessions: 0,
  dataBytes: 78,
  uptimeMs: 446,
  authFailures: 0,
  lastReplyBytes: 84,
  minReplyBytes: 16,
  maxReplyBytes: 93,
};

export const ASKING: ConnectionView = {
  address: '127.0.0.1',
  port: 50003,
  interestOps: 0,
  queued: 0,
  received: 1,
  sent: 0,
  session: null,
};

export const OF_A: ConnectionView = {
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

export const OF_B: ConnectionView = {
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

export function bucket<T>(time: string, members: readonly T[]): Bucket<T> {
  return { expiresWallMs: at(time), count: members.length, members };
}

/** What takes a step to collect. */
export function* madeOf<T>(value: T): Generator<null, T> {
  yield null;
  return value;
}

function filesOf(figures: FileFigures): FileFacts {
  return { ask: () => {}, answered: () => () => true, figures: () => figures };
}

/** The whole answer, as a client gets it. */
export function textOf(answer: WordAnswer): string {
  const pieces: Uint8Array[] = [];
  for (let piece = answer.next(); piece !== null; piece = answer.next()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** The server of the golden files, as far as the words ask. */
export function apacheView(changes: Partial<ServerView> = {}): ServerView {
  return {
    serving: true,
    isReadOnly: false,
    hasLocalSessions: false,
    mode: 'standalone',
    ensemble: null,
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
    localSessionBuckets: () => madeOf([]),
    sessions: () => madeOf([]),
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

export function wordsOf(
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

export function ask(name: string, view = apacheView(), argument: bigint | null = null): string {
  return textOf(wordsOf(view).answer(wordOf(name), argument));
}
