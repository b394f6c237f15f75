/** What an election is told at its beginning, and what it counts. Pure. */
import type { Sid } from '../quorum/member.ts';

export interface ElectionOptions {
  readonly sid: Sid;
  /** After this long without a message all are told again; doubles up to the maximum. */
  readonly minNotificationIntervalMs: number;
  readonly maxNotificationIntervalMs: number;
  /** Whether another server's newer configuration is reported. */
  readonly reconfigEnabled: boolean;
}

/** What this server has to offer when a search begins. */
export interface Standing {
  /** Of the last transaction logged; -1: the database is empty and not trusted, so nobody's vote is listened to. */
  readonly zxid: number;
  readonly currentEpoch: number;
}

/** What happened, for operators; numbers since start. */
export interface ElectionCounters {
  rounds: number;
  decisions: number;
  /** Of or for a server that votes in no configuration we know. */
  ofStrangers: number;
  ofEarlierRounds: number;
  unknownStates: number;
  malformedConfigs: number;
}

export function zeroElectionCounters(): ElectionCounters {
  return {
    rounds: 0,
    decisions: 0,
    ofStrangers: 0,
    ofEarlierRounds: 0,
    unknownStates: 0,
    malformedConfigs: 0,
  };
}
