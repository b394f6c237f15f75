/**
 * Which tests of kazoo's suite have to pass: all that pass on Apache 3.8.0 standalone (`apache-3.8.0-baseline.json`,
 * written by `record.ts`), except the named ones. Every exception says why.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerOptions } from '../../support/server.ts';
import { Outcome } from './suite.ts';

export const BASELINE_FILE = join(import.meta.dirname, 'apache-3.8.0-baseline.json');

/** What kazoo's own harness configures; the digest is that of `super:test`. */
export const KAZOO_SERVER: ServerOptions = {
  config: {
    reconfigEnabled: 'true',
    'DigestAuthenticationProvider.superDigest': 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=',
  },
};

/** Tests that pass on Apache and are not asked of ringkeeper: a prefix of the test id, and the reason. */
export const NOT_ASKED: readonly { readonly prefix: string; readonly reason: string }[] = [
  { prefix: 'test_sasl.py::', reason: 'SASL DIGEST-MD5 is not supported' },
];

/** The suite in two halves of about equal duration; each gets a server of its own. */
export const SHARDS: readonly (readonly string[])[] = [
  ['test_watchers.py', 'test_partitioner.py', 'test_gevent_handler.py'],
  [
    'test_barrier.py',
    'test_cache.py',
    'test_client.py',
    'test_connection.py',
    'test_counter.py',
    'test_election.py',
    'test_eventlet_handler.py',
    'test_exceptions.py',
    'test_hosts.py',
    'test_interrupt.py',
    'test_lease.py',
    'test_lock.py',
    'test_party.py',
    'test_paths.py',
    'test_queue.py',
    'test_retry.py',
    'test_sasl.py',
    'test_security.py',
    'test_threading_handler.py',
    'test_utils.py',
  ],
];

export type Baseline = Readonly<Record<string, Outcome>>;

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(BASELINE_FILE, 'utf8')) as Baseline;
}

export interface Expectation {
  readonly mustPass: readonly string[];
  /** Passes on Apache, excepted here. */
  readonly notAsked: readonly string[];
}

export function expectation(baseline: Baseline, files: readonly string[]): Expectation {
  const mustPass: string[] = [];
  const notAsked: string[] = [];
  for (const [id, outcome] of Object.entries(baseline)) {
    if (outcome !== Outcome.passed || !files.some((file) => id.startsWith(`${file}::`))) continue;
    if (NOT_ASKED.some(({ prefix }) => id.startsWith(prefix))) notAsked.push(id);
    else mustPass.push(id);
  }
  return { mustPass, notAsked };
}
