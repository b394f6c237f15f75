/**
 * An io side with a fake core behind it, on one thread or over a ring link; both are driven by the same tests. In ring
 * mode the core is still on this thread, but everything between goes through the shared memory, as between threads.
 */
import { CONN_IO_SHIFT, type ReplySink } from '../../../../src/core/ports/ports.ts';
import { createAcceptLimits } from '../../../../src/net/accept-limits.ts';
import type { ConnectionLimits } from '../../../../src/net/client-connection.ts';
import { createReplyMemory } from '../../../../src/net/reply-memory.ts';
import { DirectRequestPort, DirectSink } from '../../../../src/server/io/direct-sink.ts';
import { IoAgent } from '../../../../src/server/io/io-agent.ts';
import { createIoLink, type IoLinkHandle } from '../../../../src/server/io/io-link.ts';
import { ReplyRingSink } from '../../../../src/server/io/reply-ring.ts';
import { RequestRingReader } from '../../../../src/server/io/request-ring.ts';
import { RingIo } from '../../../../src/server/io/ring-io.ts';
import type { Log } from '../../../../src/server/logging/logging.ts';
import { createIoMeter } from '../../../../src/server/monitor/io-meter.ts';
import { nodeLoopPlatform } from '../../../../src/server/platform/node-loop.ts';
import { Bell, createBell } from '../../../../src/shm/bell.ts';
import { HASH_KEY } from '../../../core/support/hash.ts';
import { TEST_LIMITS } from '../../../net/support/net-harness.ts';
import { FakeCore } from './fake-core.ts';

export interface IoServer {
  readonly core: FakeCore;
  readonly agent: IoAgent;
  readonly port: number;
  stop(): Promise<void>;
}

const SLOTS = 1024;
export const LISTEN = {
  address: '127.0.0.1',
  port: 0,
  backlog: -1,
  reusePort: false,
  keepAlive: false,
} as const;

const nothing = (): void => {};
const SILENT_LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export async function startDirect(limits: Partial<ConnectionLimits> = {}): Promise<IoServer> {
  const agent = new IoAgent(
    {
      io: 0,
      slotCount: SLOTS,
      limits: { ...TEST_LIMITS, ...limits },
      accept: createAcceptLimits(0, 0, HASH_KEY),
      memory: createReplyMemory(2 ** 30, 1),
      meter: createIoMeter('io'),
    },
    nodeLoopPlatform,
    SILENT_LOG,
  );
  const sink = new DirectSink(agent.table);
  const core = new FakeCore([sink], () => sink, agent.table.scheduleTurn);
  sink.attach(core);
  agent.attach(new DirectRequestPort(core, agent.table.scheduleTurn, agent.meter), sink, () => {
    sink.tellDrained();
    core.turn();
  });
  return { core, agent, port: await agent.listen(LISTEN), stop: () => agent.close() };
}

/** The core's side of any number of links: polls them when its bell rings. */
export class PolledCore {
  readonly core: FakeCore;
  readonly sinks: ReplyRingSink[];
  /** How often a sink was found congested at the end of a turn. */
  congestedTurns = 0;
  private readonly readers: RequestRingReader[];
  private readonly bell: Bell;
  private readonly limit: number;
  private turnWanted = false;
  private stopped = false;

  constructor(links: readonly IoLinkHandle[], replyBacklogBytesMax: number, limit: number) {
    this.sinks = links.map((link) => new ReplyRingSink(link, replyBacklogBytesMax));
    const sinkOf = (conn: number): ReplySink => this.sinks[conn >> CONN_IO_SHIFT]!;
    this.core = new FakeCore(this.sinks, sinkOf, () => {
      this.turnWanted = true;
    });
    this.readers = links.map((link, i) => new RequestRingReader(link, this.core, this.sinks[i]!));
    this.bell = new Bell(links[0]!.coreBell, setImmediate);
    this.limit = limit;
    this.bell.parkAsync(this.hasWork, this.onWake);
  }

  stop(): void {
    this.stopped = true;
  }

  private readonly hasWork = (): boolean =>
    this.turnWanted ||
    this.readers.some((reader) => !reader.isEmpty) ||
    this.sinks.some((sink) => sink.roomCame);

  private readonly onWake = (): void => {
    if (this.stopped) return;
    this.turnWanted = false;
    for (const sink of this.sinks) sink.flush();
    for (const reader of this.readers) reader.poll(this.limit);
    this.core.turn();
    if (this.sinks.some((sink) => sink.congested)) this.congestedTurns++;
    this.bell.parkAsync(this.hasWork, this.onWake);
  };
}

export interface RingServerOptions {
  readonly limits?: Partial<ConnectionLimits>;
  readonly requestRingBytes: number;
  readonly replyRingBytes: number;
  /** Requests the core takes per turn. */
  readonly pollLimit: number;
}

export async function startRing(
  options: RingServerOptions,
): Promise<IoServer & { readonly polled: PolledCore }> {
  const limits = { ...TEST_LIMITS, ...options.limits };
  const link = createIoLink({ ...options, io: 0, slotCount: SLOTS, coreBell: createBell() });
  const polled = new PolledCore([link], limits.replyBacklogBytesMax, options.pollLimit);
  const io = new RingIo(
    link,
    { limits, accept: createAcceptLimits(0, 0, HASH_KEY), memory: createReplyMemory(2 ** 30, 1) },
    nodeLoopPlatform,
    SILENT_LOG,
  );
  const stop = async (): Promise<void> => {
    await io.close();
    polled.stop();
  };
  return { core: polled.core, polled, agent: io.agent, port: await io.agent.listen(LISTEN), stop };
}
