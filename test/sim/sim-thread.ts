/** Threads without an event loop, called turn by turn: the real agents in their real loops, asleep in name only. */
import { AgentLoop, type AgentLoopOptions, LoopTurn } from '../../src/shm/agent.ts';
import type { Actor, World } from './world.ts';

export interface ThreadEnds {
  onError(error: unknown): void;
  onEnd(): void;
  /** After a turn that did something: how long the thread is busy with the disk. */
  busyMs(): number;
}

export class AgentThread implements Actor {
  readonly name: string;
  stoppedUntilMs = 0;
  private readonly world: World;
  private readonly options: AgentLoopOptions;
  private readonly loop: AgentLoop;
  private readonly ends: ThreadEnds;
  private busyUntilMs = 0;
  private isParked = false;
  private parkedUntilMs = 0;

  constructor(name: string, world: World, options: AgentLoopOptions, ends: ThreadEnds) {
    this.name = name;
    this.world = world;
    this.options = options;
    this.loop = new AgentLoop(options);
    this.ends = ends;
    options.agent.onStart?.();
  }

  isRunnable(nowMs: number): boolean {
    if (nowMs < this.stoppedUntilMs || nowMs < this.busyUntilMs) return false;
    return !this.isParked || !this.options.bell.isParked || nowMs >= this.parkedUntilMs;
  }

  wakeMs(): number {
    const sleepMs = this.isParked && this.options.bell.isParked ? this.parkedUntilMs : 0;
    return Math.max(sleepMs, this.stoppedUntilMs, this.busyUntilMs);
  }

  run(): void {
    const { bell, hasWork, parkMsMax } = this.options;
    if (this.isParked) {
      this.isParked = false;
      bell.unpark();
    }
    try {
      const turn = this.loop.turn();
      if (turn === LoopTurn.worked) {
        this.busyUntilMs = this.world.nowMs + this.ends.busyMs();
      } else if (turn === LoopTurn.ended) {
        this.ends.onEnd();
      } else if (bell.tryPark(hasWork)) {
        this.isParked = true;
        this.parkedUntilMs = this.world.nowMs + parkMsMax;
      }
    } catch (error) {
      this.ends.onError(error);
    }
  }
}
