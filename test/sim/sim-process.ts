/** One process of a server: the real `startServer` on a platform of virtual time, with its threads as actors. */
import { createHash } from 'node:crypto';
import { assert } from '../../src/base/assert.ts';
import type { Transport } from '../../src/net/transport.ts';
import type { ServerConfig } from '../../src/server/config/server-config.ts';
import type { JobSetup } from '../../src/server/jobs/jobs.ts';
import { describeFailure } from '../../src/server/logging/worker-failure.ts';
import type { FileFigures } from '../../src/server/monitor/file-facts.ts';
import type { JobThread, LoopPlatform, Platform, Thread } from '../../src/server/platform/platform.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import type { Ended, Machine } from './machine.ts';
import type { ServerSocket } from './server-socket.ts';
import { PowerLoss, SimDisk } from './sim-disk.ts';
import { SimJobs } from './sim-jobs.ts';
import { SimLog } from './sim-log.ts';
import { SimLoop } from './sim-loop.ts';
import { SimListener } from './sim-network.ts';
import { SimWorker } from './sim-worker.ts';
import { Violation } from './world.ts';

interface Stoppable {
  stoppedUntilMs: number;
}

export class SimProcess implements Platform {
  readonly name: string;
  readonly disk: SimDisk;
  readonly loop: SimLoop;
  readonly coreCount = 2;
  readonly openFileCountMax = null;
  readonly isWokenByMessage = true;
  readonly clock;
  readonly transport: Transport;
  private readonly machine: Machine;
  private readonly config: ServerConfig;
  private readonly threads = new Set<SimWorker>();
  private readonly jobs: SimJobs[] = [];
  private readonly sockets = new Set<ServerSocket>();
  private isGone = false;
  private onError: (error: unknown) => void;
  private server: RunningServer | null = null;

  constructor(name: string, machine: Machine, config: ServerConfig) {
    const { world } = machine;
    this.name = name;
    this.machine = machine;
    this.config = config;
    this.disk = new SimDisk(machine.disk, machine.variant.disk ?? {}, () => machine.powerLoss());
    this.onError = (error) => this.end(describeFailure('main', error));
    this.loop = new SimLoop('main', world, (error) => {
      if (error instanceof Violation) world.violation ??= error;
      else if (!(error instanceof PowerLoss)) this.onError(error);
    });
    this.clock = {
      monotonicMs: () => world.nowMs,
      wallMs: () => world.wallMs,
    };
    this.transport = this.transportOn(this.loop);
    world.add(this.loop);
    const { observer } = machine;
    observer.onProcess?.(this);
    if (observer.onTurn !== undefined) this.loop.onTurn = () => observer.onTurn!();
  }

  start(): void {
    startServer(this.config, new SimLog(this.machine, this.name), this).then(
      (server) => {
        this.server = server;
        void server.failed.then(({ message, exitStatus }) => this.end({ message, exitStatus }));
      },
      (error) => this.end(describeFailure('start', error)),
    );
  }

  /** It can be told to stop. */
  get isStarted(): boolean {
    return this.server !== null;
  }

  async stop(): Promise<void> {
    if (this.server === null) return;
    try {
      await this.server.stop();
      this.end(null);
    } catch (error) {
      this.end(describeFailure('stop', error));
    }
  }

  /** All of it (SIGSTOP), or one of its threads: a machine with little time may leave it out for long. */
  pause(untilMs: number, isAlone: boolean): void {
    const all: Stoppable[] = [this.loop, ...this.jobs];
    for (const { actor } of this.threads) if (actor !== null) all.push(actor);
    const { prng } = this.machine.world;
    const stopped = isAlone ? [prng.pick(all)] : all;
    for (const actor of stopped) actor.stoppedUntilMs = untilMs;
  }

  /** Nothing of it runs any more. */
  vanish(): void {
    this.isGone = true;
    this.machine.world.remove(this.loop);
    for (const thread of this.threads) thread.vanish();
    for (const job of this.jobs) job.isGone = true;
  }

  private end(ended: Ended | null): void {
    if (!this.isGone) this.machine.onProcessEnd(this, ended);
  }

  // ---- Platform --------------------------------------------------------------------------------------------

  entropy(): number {
    return this.machine.world.prng.uint32();
  }

  digestBase64(algorithm: string, bytes: Uint8Array): string {
    return createHash(algorithm).update(bytes).digest('base64');
  }

  threadUsage() {
    return NO_USAGE;
  }

  loopUsage() {
    return NO_USAGE;
  }

  startJobs(setup: JobSetup, onWake: () => void): JobThread {
    const jobs = new SimJobs(this.machine.world, this.loop, this, setup, onWake);
    this.jobs.push(jobs);
    return jobs;
  }

  async surveyFiles(): Promise<FileFigures> {
    return { dataDirBytes: 0, dataLogDirBytes: 0, openFiles: 0, openFilesMax: 0 };
  }

  lockDirectories() {
    return { release: () => {} };
  }

  onUncaught(handler: (error: unknown) => void): () => void {
    const before = this.onError;
    this.onError = handler;
    return () => {
      this.onError = before;
    };
  }

  platformOn(loop: SimLoop): LoopPlatform {
    const { clock, isWokenByMessage } = this;
    return { clock, loop, transport: this.transportOn(loop), isWokenByMessage, loopUsage: () => NO_USAGE };
  }

  wakeIo(): boolean {
    let isAny = false;
    for (const { io } of this.threads) {
      io?.wake();
      isAny ||= io !== null;
    }
    return isAny;
  }

  private transportOn(loop: SimLoop): Transport {
    return {
      createListener: (_keepAlive, onSocket) =>
        new SimListener(loop, this.sockets, onSocket, (listener, port) => {
          const { listeners, peers } = this.machine;
          if (this.isGone) return;
          if (port !== null && port !== this.config.clientPort) peers!.open(port, listener);
          else if (port !== null) listeners.push(listener);
          else if (listeners.includes(listener)) listeners.splice(listeners.indexOf(listener), 1);
          else peers?.close(listener);
        }),
      dial: (options, buffer, handler) => {
        const { peers } = this.machine;
        assert(peers !== null, 'a server alone dials nobody');
        return peers.dial(this, loop, options, buffer, handler);
      },
    };
  }

  startThread(entry: string, role: string, data: object): Thread {
    const thread = new SimWorker(role, this.machine, this);
    this.threads.add(thread);
    const { world } = this.machine;
    world.after(world.span(0.05, 3), () => {
      if (!this.isGone) thread.begin(entry, data);
    });
    return thread;
  }
}

const NO_USAGE = { gc: { collect: () => {} }, cpuMicros: () => 0, busyMs: () => 0 };
