/** The word `dump`: sessions and connections by the time at which they expire, and who owns which ephemeral. */
import { hex64 } from '../../base/int64.ts';
import { dateText, socketAddressText } from '../monitor/java-text.ts';
import type { Bucket, ServerView } from '../monitor/server-view.ts';
import { type Steps, silently } from './steps.ts';

export function* dump(view: ServerView): Steps {
  yield 'SessionTracker dump:\n';
  if (view.hasLocalSessions) {
    yield 'Local ';
    yield* sessionsByTime(view.localSessionBuckets());
    if (!isLearner(view)) yield 'Global ';
  }
  yield* isLearner(view) ? allSessions(view) : sessionsByTime(view.sessionBuckets());
  yield `ephemeral nodes dump:\nSessions with Ephemerals (${view.counts().ephemeralSessions}):\n`;
  for (const { sessionId, paths } of view.ephemerals()) {
    yield `${hex64(sessionId)}:\n`;
    for (const path of paths) yield path === null ? '' : `\t${path}\n`;
  }
  const connections = yield* silently(view.connectionBuckets());
  yield `Connections dump:\nConnections Sets (${connections.length})/(${countOf(connections)}):\n`;
  for (const bucket of connections) {
    yield expiryLine(bucket);
    for (const { address, port, sessionId } of bucket.members) {
      yield `\tip: ${socketAddressText(address, port)} sessionId: ${hex64(sessionId)}\n`;
    }
  }
}

/** Follower and observer: the leader ends sessions, so nobody here knows when. */
function isLearner({ ensemble }: ServerView): boolean {
  return ensemble !== null && ensemble.leading === null;
}

function* sessionsByTime(buckets: Generator<null, readonly Bucket<bigint>[]>): Steps {
  const sessions = yield* silently(buckets);
  yield `Session Sets (${sessions.length})/(${countOf(sessions)}):\n`;
  for (const bucket of sessions) {
    yield expiryLine(bucket);
    for (const sessionId of bucket.members) yield `\t${hex64(sessionId)}\n`;
  }
}

function* allSessions(view: ServerView): Steps {
  const sessions = yield* silently(view.sessions());
  yield `Global Sessions(${sessions.length}):\n`;
  for (const { id, timeoutMs } of sessions) yield `${hex64(id)}\t${timeoutMs}ms\n`;
}

function expiryLine(bucket: Bucket<unknown>): string {
  return `${bucket.count} expire at ${dateText(bucket.expiresWallMs)}:\n`;
}

function countOf(buckets: readonly Bucket<unknown>[]): number {
  return buckets.reduce((count, bucket) => count + bucket.count, 0);
}
