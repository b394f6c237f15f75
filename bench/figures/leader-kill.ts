/** What the death of the leader was for clients, in words for people who do not know the project. */
import type { PhaseResult, RunResult } from '../result/run-json.ts';

/** `When the leader, server 2 (ringkeeper), was killed, writes stood still for 0.42 s, ...`; null where none was killed. */
export function leaderKillSentence({ phases, plan }: RunResult): string | null {
  const phase = phases.find(({ leaderKill }) => leaderKill != null);
  if (phase === undefined) return null;
  const when = `When the leader, ${phase.leaderKill!.server}, was killed,`;
  const outage = writeOutage(phase);
  if (outage === null) return `${when} every write was still answered within ${plan.probes.deadlineMs} ms.`;
  const seconds = ((outage.toMs - outage.fromMs) / 1000).toFixed(2);
  return outage.toMs < phase.steady.cutMs + phase.measuredMs
    ? `${when} writes stood still for ${seconds} s; then the servers left had a new leader and went on by themselves.`
    : `${when} writes stood still until the end of the run, for ${seconds} s at least.`;
}

/** The first outage of writes that the kill is in, or that comes after it; null: all writes came in time. */
function writeOutage({ availability, leaderKill }: PhaseResult) {
  const outages = availability.classes['write']?.outages ?? [];
  return outages.find(({ toMs }) => toMs > leaderKill!.atMs) ?? null;
}
