/**
 * Election machines and the messages between them, moved by hand.
 *
 *     servers 1 2 3 4:observer       an ensemble; weights and groups with `group 1=1:2` and `weight 1=0` behind it
 *     standing 1 zxid=1.5 epoch=1    what a server has logged (epoch.counter), and its current epoch
 *     look 1 2                       begin to look for a leader
 *     deliver [1->2]                 what is under way arrives, and what is sent thereupon; or only what is there of one pair
 *     lose 1->2                      what is under way between two is lost
 *     wait 200                       time passes; timers fire in order
 *     stop 3                         a server is gone, with all that is under way to it
 *     unreachable 3 1 2              servers 1 and 2 cannot connect to 3
 *     epoch 2 3                      server 2 is in sync with its leader's new epoch 3
 *     tell 2 from=9 state=0 …        a notification as bytes might bring it
 */
import assert from 'node:assert/strict';
import type { ElectionOptions, Standing } from '../../src/core/election/election-options.ts';
import type { ElectionStep } from '../../src/core/election/election-step.ts';
import { FastLeaderElection } from '../../src/core/election/fast-leader-election.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../src/core/quorum/quorum-config.ts';
import {
  decodeNotification,
  type ElectionNotification,
  encodeNotification,
  NO_VOTE,
  ServerState,
} from '../../src/wire/election-notification.ts';
import { encodeUtf8 } from '../../src/wire/utf8.ts';
import type { TranscriptWorld } from './transcript.ts';

const STATES = ['LOOKING', 'FOLLOWING', 'LEADING', 'OBSERVING'];
/** Nobody is told more often by machines that come to an end. */
const DELIVERIES_MAX = 1000;

interface Message {
  readonly from: number;
  readonly to: number;
  readonly notification: ElectionNotification;
}

export class ElectionWorld implements TranscriptWorld {
  private nowMs = 0;
  private readonly lines: string[] = [];
  private readonly machines = new Map<number, FastLeaderElection>();
  private readonly standings = new Map<number, Standing>();
  private readonly timers = new Map<number, number>();
  private underWay: Message[] = [];
  private committed: QuorumConfig = parseQuorumConfig('');
  private options: Omit<ElectionOptions, 'sid'> = {
    minNotificationIntervalMs: 200,
    maxNotificationIntervalMs: 60_000,
    reconfigEnabled: false,
  };

  run(command: string, words: readonly string[]): readonly string[] {
    this.lines.length = 0;
    const [first = ''] = words;
    if (command === 'servers') this.servers(words);
    else if (command === 'reconfig') this.options = { ...this.options, reconfigEnabled: first === 'on' };
    else if (command === 'standing') this.standings.set(Number(first), standingOf(words));
    else if (command === 'look') for (const sid of words) this.look(Number(sid));
    else if (command === 'deliver') this.deliver(first);
    else if (command === 'lose') this.underWay = this.underWay.filter((message) => pairOf(message) !== first);
    else if (command === 'wait') this.wait(Number(first));
    else if (command === 'stop') this.stop(Number(first));
    else if (command === 'unreachable') this.unreachable(Number(first), words.slice(1).map(Number));
    else if (command === 'epoch') this.machine(Number(first)).setPeerEpoch(Number(words[1]));
    else if (command === 'tell') this.tell(Number(first), words);
    else assert.fail(`no command ${command}`);
    return [...this.lines];
  }

  private servers(words: readonly string[]): void {
    const lines = words.map((word) => {
      if (word.includes('=')) return word.replace(/^(group|weight)/, '$1.');
      const [sid, role = 'participant'] = word.split(':');
      return `server.${sid}=s${sid}:1:2:${role}`;
    });
    this.committed = parseQuorumConfig(lines.join('\n'));
    for (const { sid } of this.committed.members) this.standings.set(sid, { zxid: 0, currentEpoch: 0 });
  }

  private machine(sid: number): FastLeaderElection {
    const known = this.machines.get(sid);
    if (known !== undefined) return known;
    const standing = this.standings.get(sid) ?? { zxid: 0, currentEpoch: 0 };
    const machine = new FastLeaderElection(
      { ...this.options, sid },
      this.committed,
      this.committed,
      standing,
    );
    this.machines.set(sid, machine);
    return machine;
  }

  private look(sid: number): void {
    const standing = this.standings.get(sid) ?? { zxid: 0, currentEpoch: 0 };
    this.take(sid, this.machine(sid).startLooking(standing, this.nowMs));
  }

  private deliver(pair: string): void {
    if (pair !== '') {
      const chosen = this.underWay.filter((message) => pairOf(message) === pair);
      this.underWay = this.underWay.filter((message) => pairOf(message) !== pair);
      for (const message of chosen) this.arrive(message);
      return;
    }
    for (let i = 0; this.underWay.length > 0; i++) {
      assert.ok(i < DELIVERIES_MAX, 'they never stop telling each other');
      this.arrive(this.underWay.shift()!);
    }
  }

  private arrive({ from, to, notification }: Message): void {
    if (!this.machines.has(to)) return;
    this.take(to, this.machine(to).onNotification(from, notification, this.nowMs));
  }

  private wait(ms: number): void {
    const end = this.nowMs + ms;
    for (;;) {
      const due = [...this.timers]
        .filter(([, at]) => at <= end)
        .sort((a, b) => a[1] - b[1] || a[0] - b[0])[0];
      if (due === undefined) break;
      this.nowMs = due[1];
      this.take(due[0], this.machine(due[0]).onTimer(this.nowMs, true));
    }
    this.nowMs = end;
  }

  private stop(sid: number): void {
    this.machines.delete(sid);
    this.timers.delete(sid);
    this.underWay = this.underWay.filter(({ from, to }) => from !== sid && to !== sid);
  }

  private unreachable(sid: number, by: readonly number[]): void {
    for (const one of by) this.take(one, this.machine(one).onUnreachable(sid, this.nowMs));
  }

  private tell(to: number, words: readonly string[]): void {
    const given = valuesOf(words);
    const number = (key: string, otherwise: number) => (given.has(key) ? zxidOf(given.get(key)!) : otherwise);
    const config = given.get('config');
    const notification = {
      state: STATES.includes(given.get('state') ?? '')
        ? STATES.indexOf(given.get('state')!)
        : number('state', 0),
      leader: number('leader', to),
      zxid: number('zxid', 0),
      electionEpoch: number('round', 1),
      peerEpoch: number('epoch', 0),
      version: number('version', 2),
      config: config === undefined ? this.committed.bytes : encodeUtf8(config.replaceAll(',', '\n')),
    };
    this.take(to, this.machine(to).onNotification(number('from', 0), notification, this.nowMs));
  }

  /** What a machine wants done. */
  private take(sid: number, step: ElectionStep): void {
    for (const { to, notification } of step.send) {
      this.lines.push(`${sid} tells ${to.join(' ')}: ${describe(notification)}`);
      // As bytes, because nothing else ever travels.
      const bytes = encodeNotification(notification);
      const view = new DataView(bytes.buffer);
      const decoded = decodeNotification(bytes, view, 4, bytes.length);
      assert.ok(typeof decoded === 'object');
      for (const one of to) this.underWay.push({ from: sid, to: one, notification: decoded });
    }
    if (step.connectAll) this.lines.push(`${sid} dials again`);
    if (step.newerConfig !== null)
      this.lines.push(`${sid} learns of configuration ${step.newerConfig.version}`);
    if (step.lookingVoter !== null) {
      const { sid: other, hasLeft } = step.lookingVoter;
      this.lines.push(`${sid} hears that ${other} is looking${hasLeft ? ' in another round' : ''}`);
    }
    if (step.decided !== null) {
      const { state, vote, voters } = step.decided;
      this.lines.push(
        `${sid} is ${STATES[state]}, leader ${vote.leader} of round ${vote.electionEpoch} (by ${voters.join(' ')})`,
      );
    }
    if (step.timerAtMs === null) this.timers.delete(sid);
    else this.timers.set(sid, step.timerAtMs);
  }
}

function pairOf(message: Message): string {
  return `${message.from}->${message.to}`;
}

function describe(notification: ElectionNotification): string {
  const { state, leader, zxid, electionEpoch, peerEpoch } = notification;
  if (leader === NO_VOTE && state === ServerState.looking) return `LOOKING, no vote (round ${electionEpoch})`;
  return `${STATES[state]} ${leader} (epoch ${peerEpoch}, zxid ${zxidText(zxid)}, round ${electionEpoch})`;
}

function zxidText(zxid: number): string {
  return zxid < 0 ? String(zxid) : `${Math.floor(zxid / 2 ** 32)}.${zxid % 2 ** 32}`;
}

/** `1.5` is counter 5 of epoch 1. */
function zxidOf(text: string): number {
  const [epoch, counter] = text.split('.');
  return counter === undefined ? Number(epoch) : Number(epoch) * 2 ** 32 + Number(counter);
}

function valuesOf(words: readonly string[]): Map<string, string> {
  return new Map(
    words
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
}

function standingOf(words: readonly string[]): Standing {
  const given = valuesOf(words);
  return { zxid: zxidOf(given.get('zxid') ?? '0'), currentEpoch: Number(given.get('epoch') ?? 0) };
}
