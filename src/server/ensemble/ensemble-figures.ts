/**
 * What the words show of this server's part in its ensemble (monitor/ensemble-view.ts): readings of its elections, links,
 * term and epochs. On their thread, which in mode `shared` is the one that answers.
 */
import { parseQuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { EnsembleConfig } from '../config/ensemble-config.ts';
import type { Summary } from '../monitor/distribution.ts';
import type { EnsembleMeter } from '../monitor/ensemble-meter.ts';
import type { EnsembleView, LeadingView } from '../monitor/ensemble-view.ts';
import type { OwnMetric } from '../monitor/metrics.ts';
import type { LeaderTerm } from './leader-term.ts';
import { type LeadingFigures, leadingView } from './leading-figures.ts';
import type { Epochs } from './learner-term-parts.ts';
import type { QuorumPeer } from './quorum-peer.ts';

/** The only one there is (FastLeaderElection). */
const ELECTION_ALGORITHM = 3;

export class EnsembleFigures implements EnsembleView {
  /** The present term, if this server leads, or the last one. */
  leadingTerm: LeaderTerm | null = null;
  private readonly ensemble: EnsembleConfig;
  private readonly peer: QuorumPeer;
  private readonly epochs: Epochs;
  private readonly meter: EnsembleMeter;
  private readonly nowMs: () => number;

  constructor(
    ensemble: EnsembleConfig,
    peer: QuorumPeer,
    epochs: Epochs,
    meter: EnsembleMeter,
    nowMs: () => number,
  ) {
    this.nowMs = nowMs;
    this.ensemble = ensemble;
    this.peer = peer;
    this.epochs = epochs;
    this.meter = meter;
  }

  get peerState(): string {
    return `${this.meter.role} - ${this.meter.phase}`;
  }

  get observedSid(): number | null {
    const term = this.peer.currentTerm;
    return term?.role === 'observing' ? term.leader : null;
  }

  get voterCount(): number {
    return this.peer.configuration.members.filter(({ role }) => role === 'participant').length;
  }

  get leading(): LeadingView | null {
    const figures = this.leadingFigures;
    return figures === null
      ? null
      : leadingView(figures, Math.floor(this.nowMs() - this.meter.servingSinceMs!));
  }

  private get leadingFigures(): LeadingFigures | null {
    const { role, servingSinceMs } = this.meter;
    return role === 'leading' && servingSinceMs !== null ? (this.leadingTerm?.figures() ?? null) : null;
  }

  conf(): readonly (readonly [string, string | number])[] {
    const { ensemble } = this;
    // Of a server that was taken out of the membership, what it was started with.
    const member =
      this.peer.configuration.member(ensemble.sid) ??
      parseQuorumConfig(ensemble.quorumText).member(ensemble.sid)!;
    const ports = (of: 'electionPort' | 'quorumPort'): string =>
      member.addresses.map((address) => address[of]).join('|');
    return [
      ['serverId', ensemble.sid],
      ['initLimit', ensemble.initLimitTicks],
      ['syncLimit', ensemble.syncLimitTicks],
      ['electionAlg', ELECTION_ALGORITHM],
      ['electionPort', ports('electionPort')],
      ['quorumPort', ports('quorumPort')],
      ['peerType', member.role === 'observer' ? 1 : 0],
    ];
  }

  get membership(): string {
    return this.peer.configuration.text;
  }

  counter(name: string): number | null {
    switch (name) {
      case 'looking_count':
        return this.meter.searches;
      case 'learner_proposal_received_count':
        return this.meter.proposalsReceived;
      case 'learner_commit_received_count':
        return this.meter.commitsReceived;
      case 'snap_count':
        return this.meter.snaps;
      case 'diff_count':
        return this.meter.diffs;
      default:
        return null;
    }
  }

  summary(name: string): Summary | null {
    return this.meter.summary(name);
  }

  own(): readonly OwnMetric[] {
    const { election } = this.peer;
    const { refused, ...links } = election.meshCounters;
    return [
      ['epoch_accepted_now', this.epochs.accepted],
      ['epoch_current_now', this.epochs.current],
      ['leader_sid_now', this.peer.currentTerm?.leader ?? -1],
      ...snakeCased('election', { ...election.electionCounters }),
      ...snakeCased('election_link', { ...links }),
      ...snakeCased('election_refused', refused),
      ...this.ofLearners(),
    ];
  }

  private ofLearners(): OwnMetric[] {
    const figures = this.leadingFigures;
    if (figures === null) return [];
    return [
      ...figures.learners.flatMap(({ sid, phase, lagTxns }): OwnMetric[] => [
        [`learner_${sid}_phase`, phase],
        [`learner_${sid}_lag_txns_now`, lagTxns],
      ]),
      ...snakeCased('quorum_refused', figures.faults),
    ];
  }

  reset(): void {
    this.meter.reset();
  }
}

/** `failedDials` and `frame length` as names of metrics. */
function snakeCased(area: string, counters: Readonly<Record<string, number>>): OwnMetric[] {
  return Object.entries(counters).map(([name, count]) => [
    `${area}_${name
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .replace(/ /g, '_')
      .toLowerCase()}`,
    count,
  ]);
}
