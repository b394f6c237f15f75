/**
 * Agents are the units of work that a threading mode spreads over threads. An agent never waits: `doWork` does a
 * bounded amount of what is there and says how much that was. Who calls it decides about waiting: an event loop, a
 * simulation, or, on a thread of its own without sockets, the `AgentLoop` below.
 */
import type { Bell } from './bell.ts';

export interface Agent {
  /** Name for logs and thread titles. */
  readonly role: string;
  /** One turn; the work done, 0 when there was none. */
  doWork(nowMs: number): number;
  onStart?(): void;
  onClose?(): void;
}

export interface AgentLoopOptions {
  readonly agent: Agent;
  /** Rung by everyone who gives this agent work; closing it ends the loop. */
  readonly bell: Bell;
  /** Looks at every source of work of the agent. */
  readonly hasWork: () => boolean;
  readonly nowMs: () => number;
  /** Longest sleep, so that an agent with deadlines gets its turn. */
  readonly parkMsMax: number;
}

export const LoopTurn = { worked: 0, idle: 1, ended: 2 } as const;
export type LoopTurn = (typeof LoopTurn)[keyof typeof LoopTurn];

/** The duty cycle of a blocking thread: work until there is none, sleep. */
export class AgentLoop {
  readonly options: AgentLoopOptions;

  constructor(options: AgentLoopOptions) {
    this.options = options;
  }

  /**
   * Returns when the bell has been closed and a turn after that found nothing to do. An exception of the agent
   * goes through: the thread has failed, and `onClose` is not for that.
   */
  run(): void {
    const { agent, bell, hasWork, parkMsMax } = this.options;
    agent.onStart?.();
    for (;;) {
      const turn = this.turn();
      if (turn === LoopTurn.ended) return;
      if (turn === LoopTurn.idle) bell.parkBlocking(hasWork, parkMsMax);
    }
  }

  /** One turn, for whoever drives the loop by hand. `idle`: go to sleep; `ended`: never call again. */
  turn(): LoopTurn {
    const { agent, bell, nowMs } = this.options;
    // Asked before the turn: what was handed over before the bell was closed is then found by this turn.
    const closed = bell.isClosed;
    if (agent.doWork(nowMs()) > 0) return LoopTurn.worked;
    if (!closed) return LoopTurn.idle;
    agent.onClose?.();
    return LoopTurn.ended;
  }
}
