/**
 * Data directories are interchangeable: what ringkeeper leaves behind, stopped or killed, Apache 3.8.0 opens and
 * serves (znodes of every kind, data, Stat, ACLs, quotas, ephemerals of sessions that are still alive, the sessions
 * themselves), and the other way round, several times over the same directory.
 */
import { suite, test } from 'node:test';
import { ServerKind } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { type Leg, type Relay, runRelay } from './relay/relay.ts';

const { apache, ringkeeper } = ServerKind;
const STEP_COUNT = 400;
/** Small enough that each leg takes several snapshots, and larger than what a leg needs to look around. */
const SNAP_COUNT = '200';

const OURS_FIRST: readonly Leg[] = [
  { kind: ringkeeper, end: 'SIGTERM' },
  { kind: apache, end: 'SIGKILL' },
  { kind: ringkeeper, end: 'SIGKILL' },
  { kind: apache, end: 'SIGTERM' },
];
/** Each reads what the other has compressed. */
const COMPRESSED: readonly Leg[] = [
  { kind: ringkeeper, end: 'SIGTERM' },
  { kind: apache, end: 'SIGKILL' },
  { kind: ringkeeper, end: 'SIGKILL' },
];
const THEIRS_FIRST: readonly Leg[] = [
  { kind: apache, end: 'SIGTERM' },
  { kind: ringkeeper, end: 'SIGKILL' },
  { kind: apache, end: 'SIGTERM' },
];

const RELAYS: readonly (Relay & { readonly what: string })[] = [
  relay('ringkeeper first', 1, OURS_FIRST, ''),
  relay('Apache first', 2, THEIRS_FIRST, ''),
  relay('gz snapshots', 3, COMPRESSED, 'gz'),
  relay('snappy snapshots', 4, COMPRESSED, 'snappy'),
];

function relay(
  what: string,
  seed: number,
  legs: readonly Leg[],
  compression: string,
): Relay & { readonly what: string } {
  const config = {
    snapCount: SNAP_COUNT,
    // KB: the directories are copied, and a file of zeros costs as much as one of transactions.
    preAllocSize: '64',
    'znode.container.checkIntervalMs': '3600000',
    ...(compression === '' ? {} : { 'snapshot.compression.method': compression }),
  };
  const snapshotSuffix = compression === '' ? '' : `.${compression}`;
  return { what, seed, stepCount: STEP_COUNT, legs, config, snapshotSuffix };
}

suite('one data directory, two servers', { skip: need('java', 'zookeeper') || needRingkeeper() }, () => {
  for (const { what, ...plan } of RELAYS) {
    test(what, async (context) => {
      await runRelay(plan, (text) => context.diagnostic(text));
    });
  }
});
