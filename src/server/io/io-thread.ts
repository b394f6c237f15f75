/**
 * What an io thread runs (mode `dedicated`), apart from the thread: a ring io agent made from the posted handles, which
 * listens and obeys the supervisor. The io worker gives it its thread's loop and port, the simulator its own.
 */
import type { ListenOptions } from '../../net/transport.ts';
import type { LogLevel } from '../config/server-config.ts';
import { type LogLine, ThreadLog } from '../logging/logging.ts';
import type { WorkerFailure } from '../logging/worker-failure.ts';
import type { LoopPlatform } from '../platform/platform.ts';
import type { IoLinkHandle } from './io-link.ts';
import { RingIo, type RingIoOptions } from './ring-io.ts';

export interface IoWorkerSetup {
  readonly link: IoLinkHandle;
  readonly options: RingIoOptions;
  readonly listen: ListenOptions;
  readonly logLevel: LogLevel;
}

export type IoWorkerCommand = 'quiesce' | 'close';

export type IoWorkerMessage = { readonly type: 'listening'; readonly port: number } | LogLine | WorkerFailure;

export class IoThread {
  /** To be called for each message that rings the bell, if it is rung by message. */
  readonly onBell: () => void;
  private readonly io: RingIo;
  private readonly setup: IoWorkerSetup;
  private readonly post: (message: IoWorkerMessage) => void;
  private readonly onClosed: () => void;

  /** `onClosed`: the last socket is gone, the thread may end. */
  constructor(
    setup: IoWorkerSetup,
    platform: LoopPlatform,
    post: (message: IoWorkerMessage) => void,
    onClosed: () => void,
  ) {
    this.setup = setup;
    this.post = post;
    this.onClosed = onClosed;
    const log = new ThreadLog(`io-${setup.link.io}`, setup.logLevel, post);
    this.io = new RingIo(setup.link, setup.options, platform, log);
    this.onBell = this.io.onBell;
  }

  /** Tells the supervisor the port. @throws BindFailure */
  async listen(): Promise<void> {
    this.post({ type: 'listening', port: await this.io.agent.listen(this.setup.listen) });
  }

  /** Rejects when the agent cannot close. */
  async onCommand(command: IoWorkerCommand): Promise<void> {
    if (command === 'quiesce') {
      this.io.agent.quiesce();
      return;
    }
    await this.io.close();
    this.onClosed();
  }
}
