/** An io thread of mode `dedicated`: what its entry would do, on an event loop of its own. */

import {
  IoThread,
  type IoWorkerCommand,
  type IoWorkerMessage,
  type IoWorkerSetup,
} from '../../src/server/io/io-thread.ts';
import type { LoopPlatform } from '../../src/server/platform/platform.ts';
import type { SimLoop } from './sim-loop.ts';

export interface IoEnds {
  post(message: IoWorkerMessage): void;
  onError(error: unknown): void;
  onEnd(): void;
}

export class SimIo {
  private readonly loop: SimLoop;
  private readonly thread: IoThread;
  private readonly ends: IoEnds;

  constructor(setup: IoWorkerSetup, loop: SimLoop, platform: LoopPlatform, ends: IoEnds) {
    this.loop = loop;
    this.ends = ends;
    this.thread = new IoThread(setup, platform, ends.post, ends.onEnd);
    this.thread.listen().catch(ends.onError);
  }

  command(command: IoWorkerCommand): void {
    this.loop.message(() => void this.thread.onCommand(command).catch(this.ends.onError));
  }

  /** The core rings: by message, as nothing else wakes a simulated loop. */
  wake(): void {
    this.loop.message(this.thread.onBell);
  }
}
