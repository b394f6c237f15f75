/**
 * The scenario of `npm start`: one standalone server under the load of the ZooKeeper paper's saturation runs
 * (1 KB values, many connections with 100 requests outstanding each), cut to under a minute.
 *
 *     set-up ~1 s | read 2 + 10 s | write 2 + 10 s | mixed 70/30 2 + 10 s | tear-down
 *                     ^ warm-up, not counted
 */
import type { Scenario } from '../plan.ts';

const WARMUP_MS = 2_000;
const MEASURE_MS = 10_000;

export const standaloneQuick: Scenario = {
  name: 'standalone-quick',
  description: '1 KB values; reads, durable writes and a 70/30 mix; 50 connections x 100 outstanding',
  seed: 1,
  tree: { root: '/bench', keyCount: 10_000, valueBytes: 1024, keys: { kind: 'uniform' } },
  connectionCount: 50,
  outstanding: 100,
  workerCount: 1,
  phases: [
    {
      name: 'read',
      mix: { get: 1 },
      arrival: { kind: 'closed' },
      warmupMs: WARMUP_MS,
      measureMs: MEASURE_MS,
    },
    {
      name: 'write',
      mix: { set: 1 },
      arrival: { kind: 'closed' },
      warmupMs: WARMUP_MS,
      measureMs: MEASURE_MS,
    },
    {
      name: 'mixed',
      mix: { get: 70, set: 30 },
      arrival: { kind: 'closed' },
      warmupMs: WARMUP_MS,
      measureMs: MEASURE_MS,
    },
  ],
  probes: { periodMs: 20, deadlineMs: 200 },
};
