/**
 * Ties a session machine to this process: the transport, the monotonic clock, one timer, chance, and the end of a turn as
 * the moment in which what was written leaves. Everything asynchronous of the client is here; the machine has none of it.
 *
 *     user code ──submit──▶ machine ──flushSoon──▶ process.nextTick ──flush──▶ socket (one write per turn)
 *     socket ──bytes──▶ machine ──▶ calls end (promises settle after the machine has returned)
 */
import type { Call } from './call.ts';
import { type Host, hostText } from './connect-string.ts';
import type { Credential } from './credentials.ts';
import { HostList } from './hosts.ts';
import type { Connection, Transport } from './node-transport.ts';
import type { SaslHook } from './sasl-digest.ts';
import { SessionMachine } from './session-machine.ts';
import type { SessionPorts } from './session-ports.ts';
import type { Notice, SessionOptions, SessionTicket, StateChange } from './session-state.ts';
import { callUser } from './user-code.ts';

const PROBE_TIMEOUT_MS = 2_000;
/** SRV records are asked for again; what is new counts from the next connection on. */
const SRV_PERIOD_MS = 60_000;
/** Between two questions for the first of them, at most: grows from the one to the other. */
const SRV_PAUSE_MS = 100;
const SRV_PAUSE_MS_MAX = 2_000;
const TIMER_MS_MAX = 0x7fffffff;

export interface DriverSetUp {
  readonly options: SessionOptions;
  readonly hosts: readonly Host[];
  /** Non-null: hosts come from here, again and again; `hosts` is empty. */
  readonly srvName: string | null;
  readonly transport: Transport;
  readonly credentials: readonly Credential[];
  readonly sasl: SaslHook | null;
  readonly ticket: SessionTicket | null;
  onState(change: StateChange): void;
  onNotice(notice: Notice, detail: string): void;
}

export class SessionDriver implements SessionPorts {
  readonly machine: SessionMachine;
  /** Why the last connection, or the last attempt at one or to find a server, ended: what a user who waits for a server wants to know. */
  lastEnd: string | null = null;
  private readonly setUp: DriverSetUp;
  private connection: Connection | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = 0;
  private srvTimer: NodeJS.Timeout | null = null;
  private readonly flushNow = (): void => this.machine.flush(performance.now());

  constructor(setUp: DriverSetUp) {
    this.setUp = setUp;
    const { options, credentials, sasl, ticket } = setUp;
    const hosts = new HostList(setUp.hosts, Math.random);
    this.machine = new SessionMachine({ options, hosts, credentials, sasl, ticket }, this);
  }

  start(): void {
    const { srvName } = this.setUp;
    if (srvName === null) this.machine.start(performance.now());
    else this.findServers(srvName, 0);
  }

  submit(call: Call): boolean {
    return this.machine.submit(call, performance.now());
  }

  addCredential(credential: Credential, call: Call): void {
    this.machine.addCredential(credential, call, performance.now());
  }

  updateHosts(hosts: readonly Host[]): void {
    this.machine.updateHosts(hosts, performance.now());
  }

  detach(): void {
    this.machine.detach(performance.now());
  }

  close(): void {
    this.machine.close(performance.now());
  }

  dial(host: Host): void {
    this.connection = this.setUp.transport.dial(host, {
      onOpen: () => this.machine.onOpen(performance.now()),
      onBytes: (bytes) => this.machine.onBytes(bytes, performance.now()),
      onClosed: (cause) => {
        this.connection = null;
        this.lastEnd = `${hostText(host)}: ${cause}`;
        this.machine.onClosed(this.lastEnd, performance.now());
      },
    });
  }

  send(bytes: Uint8Array): void {
    this.connection?.send(bytes);
  }

  hangUp(): void {
    this.connection?.hangUp();
    this.connection = null;
  }

  wakeAt(atMs: number): void {
    if (this.timer !== null && this.timerAtMs <= atMs) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.timerAtMs = atMs;
    const delayMs = Math.min(Math.max(0, Math.ceil(atMs - performance.now())), TIMER_MS_MAX);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.machine.onTick(performance.now());
    }, delayMs);
  }

  flushSoon(): void {
    process.nextTick(this.flushNow);
  }

  probe(host: Host): void {
    this.setUp.transport
      .probe(host, PROBE_TIMEOUT_MS)
      .then((readWrite) => this.machine.onProbed(host, readWrite, performance.now()));
  }

  random(): number {
    return Math.random();
  }

  onState(change: StateChange): void {
    if (change.state === 'closed' || change.state === 'authFailed') this.release();
    this.setUp.onState(change);
  }

  onNotice(notice: Notice, detail: string): void {
    callUser(this.setUp.onNotice, notice, detail);
  }

  /** Asks until there is an answer, as for the name of a host. Calls and the end of the client need not wait for it. */
  private findServers(name: string, failures: number): void {
    const again = (cause: string): void => {
      this.lastEnd = `${name}: ${cause}`;
      if (this.machine.isOver) return;
      const pauseMs = this.random() * Math.min(SRV_PAUSE_MS * 2 ** failures, SRV_PAUSE_MS_MAX);
      this.srvTimer = setTimeout(() => this.findServers(name, failures + 1), pauseMs);
    };
    this.setUp.transport.resolveSrv(name).then(
      (hosts) => {
        if (hosts.length === 0) again('no server under that name');
        else if (!this.machine.isOver) this.startAt(hosts, name);
      },
      (error: Error) => again(error.message),
    );
  }

  private startAt(hosts: readonly Host[], srvName: string): void {
    this.updateHosts(hosts);
    this.machine.start(performance.now());
    const askAgain = (): void => {
      // A name that does not resolve now leaves the list as it is.
      this.setUp.transport.resolveSrv(srvName).then(
        (found) => found.length > 0 && this.updateHosts(found),
        () => undefined,
      );
    };
    this.srvTimer = setInterval(askAgain, SRV_PERIOD_MS).unref();
  }

  /** Nothing of an ended client keeps the process alive. */
  private release(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    // Of either kind.
    if (this.srvTimer !== null) clearTimeout(this.srvTimer);
    this.timer = null;
    this.srvTimer = null;
  }
}
