/**
 * May a replay be believed? Findings make it void; notes are what a reader should know all the same.
 *
 *     complete      the whole recording was replayed
 *     allReplies    every request was sent and answered
 *     sameResults   the target answered as the recorded service did
 *     lag           timed: the replay handed requests to their connections when they were due
 */

import { formatCount, formatMs, plural } from '../figures/format.ts';
import { foldCounts, newHistogram, summarizeLatency } from '../latency/latency-recorder.ts';
import { LAG_P99_MS_MAX } from '../measure/validity.ts';
import type { Finding } from '../result/run-json.ts';
import type { ReplayOutcome } from './replay.ts';

/** Differences that a sentence names. */
const NAMED_MAX = 3;

export function replayFindings(outcome: ReplayOutcome): Finding[] {
  const found: Finding[] = [];
  const add = (rule: string, text: string): number => found.push({ rule, kind: 'void', text });
  const { tally } = outcome;
  if (outcome.stalled) add('complete', 'the target answered nothing any more, and the replay was given up');
  else if (!outcome.complete) add('complete', 'the replay was cut short');
  if (tally.replyCount === 0) add('allReplies', 'no request was answered');
  const lost = tally.sum((op) => op.lost);
  if (lost > 0)
    add('allReplies', `${plural(lost, 'request')} lost their connection; their outcome is unknown`);
  const unanswered = tally.sum((op) => op.unanswered);
  if (unanswered > 0) add('allReplies', `${plural(unanswered, 'request')} were never answered`);
  const unsent = tally.sum((op) => op.unsent);
  if (unsent > 0)
    add('allReplies', `${plural(unsent, 'request')} were not sent: their connections were gone`);
  if (tally.disorder > 0) add('allReplies', `${tally.disorder} times replies came out of order`);
  if (tally.differing > 0) add('sameResults', differencesSentence(outcome));
  const lag = newHistogram();
  foldCounts(tally.lag, lag);
  const late = summarizeLatency(lag);
  if (late !== null && late.p99Ms > LAG_P99_MS_MAX) {
    add(
      'lag',
      `the replay itself was ${formatMs(late.p99Ms)} ms late with requests at p99: this machine cannot keep up`,
    );
  }
  return found;
}

function differencesSentence({ tally }: ReplayOutcome): string {
  const compared = formatCount(tally.sameResults + tally.differing);
  const named = tally.differenceList
    .slice(0, NAMED_MAX)
    .map(
      ({ op, recorded, replayed, count }) =>
        `${formatCount(count)} ${op} ${replayed} in place of ${recorded}`,
    );
  const more = tally.differenceList.length > NAMED_MAX ? ', ...' : '';
  return `${formatCount(tally.differing)} of ${compared} results differ from the recorded ones: ${named.join(', ')}${more}`;
}

export function replayNotes({ tally, ending, header }: ReplayOutcome): string[] {
  const notes: string[] = [];
  if (ending !== null && ending.kind !== 'whole') notes.push(`${ending.text}; what came before was replayed`);
  const skipped = tally.sum((op) => op.skipped);
  if (skipped > 0 && !header.credentialsKept) {
    notes.push(
      `${plural(skipped, 'auth request')} could not be replayed, because credentials were not recorded: ` +
        'requests that need them get NOAUTH',
    );
  }
  if (tally.words.size > 0) {
    const words = [...tally.words].map(([word, count]) => `${formatCount(count)} ${word}`).join(', ');
    notes.push(`four-letter words are not replayed: ${words}`);
  }
  if (tally.notes > 0) {
    notes.push(
      `${plural(tally.notes, 'connection')} could not be recorded to the end: no plain ZooKeeper traffic`,
    );
  }
  if (tally.recordedUnreachable > 0) {
    notes.push(`${plural(tally.recordedUnreachable, 'connection')} found no server when recorded`);
  }
  if (tally.sessionsReplaced > 0) {
    notes.push(
      `${plural(tally.sessionsReplaced, 'session')} were resumed that the target did not have: it gave new ones`,
    );
  }
  if (tally.namesMapped > 0) {
    notes.push(
      `${plural(tally.namesMapped, 'sequential znode')} got other names; later requests were mapped to them`,
    );
  }
  const abandoned = tally.sum((op) => op.abandoned);
  if (abandoned > 0)
    notes.push(`${plural(abandoned, 'request')} were left without waiting for the reply, as recorded`);
  if (tally.uncompared > 0)
    notes.push(`${plural(tally.uncompared, 'reply', 'replies')} have no recorded result to compare`);
  if (tally.connectFailures > 0) notes.push(`${plural(tally.connectFailures, 'attempt')} to connect failed`);
  if (tally.events !== tally.recordedEvents) {
    notes.push(
      `${plural(tally.events, 'watch event')} came, ${formatCount(tally.recordedEvents)} when it was recorded`,
    );
  }
  if (tally.otherDifferences > 0)
    notes.push(`${formatCount(tally.otherDifferences)} further differences are not listed`);
  return notes;
}
