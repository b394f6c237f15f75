/**
 * Whole turns of an event loop for its sockets: after a pause, what waits in the kernel is accepted and read before
 * anybody looks at the time. One read per socket and turn is enough: a session that has sent anything is heard of.
 *
 *     ask ─▶ the turn that is under way ─▶ accepts, reads ─▶ reads what was accepted ─▶ done
 */
import type { EventLoop } from '../../base/event-loop.ts';

const TURNS = 3;

export class LoopSocketTurns {
  isDone = true;
  private readonly loop: EventLoop;
  private readonly onDone: () => void;
  private left = 0;
  private isCounting = false;

  constructor(loop: EventLoop, onDone: () => void) {
    this.loop = loop;
    this.onDone = onDone;
  }

  ask(): void {
    this.isDone = false;
    this.left = TURNS;
    if (this.isCounting) return;
    this.isCounting = true;
    this.loop.soon(this.onTurn);
  }

  private readonly onTurn = (): void => {
    if (--this.left > 0) {
      this.loop.soon(this.onTurn);
      return;
    }
    this.isCounting = false;
    this.isDone = true;
    this.onDone();
  };
}
