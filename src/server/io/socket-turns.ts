/**
 * Whole turns of an event loop for its sockets: what waits in the kernel is accepted and read before anybody is taken for
 * silent. One read per socket and turn is enough: it brings all that is there, up to what a kernel holds for a socket, so
 * a session that has sent anything is heard of.
 *
 *     ask ─▶ the turn that is under way ─▶ accepts, reads ─▶ reads what was accepted ─┬─▶ done
 *                       ▲                                                             │ a connection's requests wait
 *                       └──────────────────────── 20 ms ◀─────────────────────────────┘ for room on the server's side
 *
 * Those it waits for are connections that the server has stopped: their ring is full, or too much of theirs is under way,
 * as after a pause in which much has come together. It waits for at most two seconds: under lasting overload something is
 * always stopped, and sessions of clients that are gone must end then too.
 */
import type { EventLoop } from '../../base/event-loop.ts';

const TURNS = 3;
const RETRY_MS = 20;
const RETRIES_MAX = 100;

/** Whoever takes requests out of the sockets of this loop. */
export interface Intake {
  /** Some connection's requests wait for room that the server has to make, not its client. */
  readonly isHoldingBack: boolean;
}

export class LoopSocketTurns {
  isDone = true;
  private readonly loop: EventLoop;
  private readonly intake: Intake;
  private readonly onDone: () => void;
  private turnsLeft = 0;
  private retriesLeft = 0;

  constructor(loop: EventLoop, intake: Intake, onDone: () => void) {
    this.loop = loop;
    this.intake = intake;
    this.onDone = onDone;
  }

  /** While it is under way: nothing. */
  ask(): void {
    if (!this.isDone) return;
    this.isDone = false;
    this.retriesLeft = RETRIES_MAX;
    this.begin();
  }

  private readonly begin = (): void => {
    this.turnsLeft = TURNS;
    this.loop.soon(this.onTurn);
  };

  private readonly onTurn = (): void => {
    if (--this.turnsLeft > 0) {
      this.loop.soon(this.onTurn);
    } else if (this.intake.isHoldingBack && this.retriesLeft-- > 0) {
      this.loop.after(RETRY_MS, this.begin);
    } else {
      this.isDone = true;
      this.onDone();
    }
  };
}
