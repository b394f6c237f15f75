/** A worker of a simulated process: what its entry would do, as an actor of the world. */

import { type CoreWorkerSetup, createCoreLoop } from '../../src/server/host/core-thread.ts';
import type { IoWorkerCommand, IoWorkerSetup } from '../../src/server/io/io-thread.ts';
import type { LogAgent } from '../../src/server/log/log-agent.ts';
import { LogRecordKind } from '../../src/server/log/log-link.ts';
import { createLogLoop, type LogWorkerSetup } from '../../src/server/log/log-thread.ts';
import { describeFailure } from '../../src/server/logging/worker-failure.ts';
import type { BlockingPlatform, LoopPlatform, Thread } from '../../src/server/platform/platform.ts';
import type { Machine } from './machine.ts';
import { PowerLoss } from './sim-disk.ts';
import { SimIo } from './sim-io.ts';
import { SimLoop } from './sim-loop.ts';
import { AgentThread } from './sim-thread.ts';
import { Violation } from './world.ts';

/** A claim needs room for the largest thing that the request may become. */
const FULL_SHARE = 0.7;
const STOPPING_TURN_MS = 0.5;

interface Process extends BlockingPlatform {
  readonly loop: SimLoop;
  /** What a thread with this event loop sees of the machine. */
  platformOn(loop: SimLoop): LoopPlatform;
  /** The core rings the io threads; false: there are none, it is the main thread that is rung. */
  wakeIo(): boolean;
}

type Listener = (value: never) => void;

export class SimWorker implements Thread {
  actor: AgentThread | SimLoop | null = null;
  io: SimIo | null = null;
  private readonly role: string;
  private readonly machine: Machine;
  private readonly process: Process;
  private readonly listeners = new Map<string, Listener[]>();

  constructor(role: string, machine: Machine, process: Process) {
    this.role = role;
    this.machine = machine;
    this.process = process;
  }

  begin(entry: string, data: object): void {
    const port = { postMessage: (message: unknown) => this.emit('message', message) };
    this.guarded(() => {
      if (entry.endsWith('/log-worker')) {
        const setup = data as LogWorkerSetup;
        this.machine.observer.onRecovered(setup.lastZxid);
        const loop = createLogLoop(setup, this.process, port);
        this.observe(loop.agent as LogAgent, setup);
        this.run(loop);
      } else if (entry.endsWith('/core-worker')) {
        const toIo = {
          port: { postMessage: (message: null) => this.process.wakeIo() || port.postMessage(message) },
        };
        this.run(
          createCoreLoop(data as CoreWorkerSetup, { platform: this.process, post: port.postMessage, toIo }),
        );
      } else if (entry.endsWith('/io-worker')) {
        this.runIo(data as IoWorkerSetup, port.postMessage);
      } else {
        throw new Error(`the simulator has no thread ${entry}`);
      }
    });
  }

  // ---- Thread ----------------------------------------------------------------------------------------------

  /** Only io workers are spoken to. */
  postMessage(command: unknown): void {
    this.io?.command(command as IoWorkerCommand);
  }

  on(event: string, listener: Listener): void {
    const known = this.listeners.get(event);
    if (known === undefined) this.listeners.set(event, [listener]);
    else known.push(listener);
  }

  async terminate(): Promise<void> {
    this.vanish();
    this.emit('exit', 1);
  }

  vanish(): void {
    if (this.actor !== null) this.machine.world.remove(this.actor);
  }

  // ---- inside ----------------------------------------------------------------------------------------------

  private run(options: ConstructorParameters<typeof AgentThread>[2]): void {
    const { world } = this.machine;
    this.actor = new AgentThread(this.role, world, options, {
      onError: (error) => this.fail(error),
      onEnd: () => this.exit(0),
      busyMs: () => {
        if (this.role === 'log') return world.span(0.02, this.machine.diskMsMax);
        // It looks again and again until the log has all of it; not each of these turns is an order worth trying.
        return options.bell.isClosed ? STOPPING_TURN_MS : 0;
      },
    });
    world.add(this.actor);
  }

  private runIo(setup: IoWorkerSetup, post: (message: unknown) => void): void {
    const { world } = this.machine;
    const onError = (error: unknown): void => this.fail(error);
    const loop = new SimLoop(this.role, world, onError);
    this.actor = loop;
    world.add(loop);
    this.io = new SimIo(setup, loop, this.process.platformOn(loop), {
      post,
      onError,
      onEnd: () => this.exit(0),
    });
  }

  /** Each transaction is shown to the observer as the log thread takes it from its ring. */
  private observe(agent: LogAgent, { link }: LogWorkerSetup): void {
    const { observer, variant } = this.machine;
    const onRecord = agent.onRecord;
    agent.onRecord = (kind, offset, length) => {
      const { view, bytes, usedBytes } = agent['ring'];
      if (usedBytes > link.proposals.capacity * FULL_SHARE) this.machine.fullRings++;
      const zxid = view.getFloat64(offset, true);
      if (kind !== LogRecordKind.proposal) {
        const isDone = onRecord.call(agent, kind, offset, length);
        if (isDone && kind === LogRecordKind.truncate) observer.onCut?.(zxid);
        return isDone;
      }
      observer.onProposal(zxid, bytes.slice(offset + 8, offset + length));
      const taken = onRecord.call(agent, kind, offset, length);
      variant.onAppended?.(zxid, link, agent);
      return taken;
    };
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (error instanceof PowerLoss) return;
    if (error instanceof Violation) {
      this.machine.world.violation ??= error;
      return;
    }
    const failure = describeFailure(this.role, error);
    this.emit('message', failure);
    this.exit(failure.exitStatus);
  }

  private exit(code: number): void {
    this.vanish();
    this.emit('exit', code);
  }

  private emit(event: string, value: unknown): void {
    this.process.loop.message(() => {
      for (const listener of this.listeners.get(event) ?? []) listener(value as never);
    });
  }
}
