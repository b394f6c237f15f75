/**
 * The session: connects, shakes hands, keeps alive, notices the end, connects again, restores. It owns the pipeline of
 * requests and the registry of watches. Whoever drives it hands in bytes, connection ends and the time, and gets dials,
 * bytes and state changes out; it has no socket, clock, timer, randomness or promise, so the same code runs in simulation.
 *
 *     phase   idle ─retryAt─▶ dialing ─onOpen─▶ handshake ─response─▶ [securing] ─▶ ready
 *              ▲                 │                  │                                  │
 *              └─────────────────┴──────── end, deadline, wrong bytes ─────────────────┘
 *
 * Order on a new connection: ConnectRequest; nothing more until its answer (bytes behind it could reset an answer that
 * says "expired"); SASL to its end; credentials; watches; then what waits.
 */
import { readConnectResponse } from '../wire/connect.ts';
import { type FrameHandler, FrameSplitter, FrameStatus } from '../wire/framing.ts';
import { JuteReader, MalformedRecord } from '../wire/jute-reader.ts';
import { SpecialXid } from '../wire/opcodes.ts';
import { REPLY_HEADER_BYTES, readReplyHeader } from '../wire/reply-header.ts';
import { readWatchEvent } from '../wire/watch-event.ts';
import type { Call } from './call.ts';
import { ConnectPacing } from './connect-pacing.ts';
import { type Host, hostText } from './connect-string.ts';
import { type Credential, CredentialList } from './credentials.ts';
import type { HostList } from './hosts.ts';
import { ReadWriteSearch } from './read-write-search.ts';
import { RequestPipeline } from './request-pipeline.ts';
import type { SaslHook } from './sasl-digest.ts';
import { CloseCall, connectFrame, renewWatches, restoreWatches, runSasl } from './session-calls.ts';
import { SessionIdentity } from './session-identity.ts';
import type { MachineSetUp, SessionPorts } from './session-ports.ts';
import type { SessionOptions, SessionState } from './session-state.ts';
import { WatchRegistry } from './watch-registry.ts';

type Phase = 'idle' | 'dialing' | 'handshake' | 'securing' | 'ready' | 'over';

const CLOSE_MS_MAX = 5_000;
const NEVER = Number.POSITIVE_INFINITY;

export class SessionMachine implements FrameHandler {
  readonly registry = new WatchRegistry();
  readonly pipeline: RequestPipeline;
  readonly hosts: HostList;
  state: SessionState = 'connecting';
  readonly session: SessionIdentity;
  /** Where the connection is, or null. */
  server: Host | null = null;

  private readonly options: SessionOptions;
  private readonly ports: SessionPorts;
  private readonly credentials: CredentialList;
  private readonly newSasl: SaslHook | null;
  private readonly search: ReadWriteSearch;
  private readonly pacing: ConnectPacing;
  private phase: Phase = 'idle';
  private splitter: FrameSplitter;
  private nowMs = 0;
  private retryAtMs = NEVER;
  private deadlineMs = NEVER;
  private heardMs = 0;
  private sentMs = 0;
  /** Send time of the ping that is not answered yet; NEVER = none. */
  private pingSentMs = NEVER;
  private closeDeadlineMs = NEVER;
  /** Takes no requests any more. */
  isClosing = false;
  private flushAsked = false;

  constructor(setUp: MachineSetUp, ports: SessionPorts) {
    const { options, hosts } = setUp;
    this.options = options;
    this.hosts = hosts;
    this.ports = ports;
    this.newSasl = setUp.sasl;
    this.session = new SessionIdentity(options.sessionTimeoutMs, setUp.ticket);
    this.pipeline = new RequestPipeline(options, this.registry);
    this.credentials = new CredentialList(setUp.credentials, this.pipeline);
    this.search = new ReadWriteSearch(hosts, ports);
    this.pacing = new ConnectPacing(hosts, ports);
    this.splitter = new FrameSplitter(options.replyBytesMax, this);
  }

  /** Until then no server can have expired the session, by what has been answered; infinite without a session. */
  get lossMs(): number {
    return this.session.id === 0n ? NEVER : this.pipeline.provenMs + this.session.timeoutMs;
  }

  get isOver(): boolean {
    return this.phase === 'over';
  }

  start(nowMs: number): void {
    this.nowMs = nowMs;
    this.dialNext();
    this.rearm();
  }

  /** False: too many requests wait already, or the client has ended; the call was not taken. */
  submit(call: Call, nowMs: number): boolean {
    this.enter(nowMs);
    if (this.isClosing || this.isOver || !this.pipeline.submit(call)) return false;
    if (this.phase === 'ready') this.pumpAndFlush();
    this.rearm();
    return true;
  }

  /** Proves an identity on this connection and on every later one. `call` ends with the first answer. */
  addCredential(credential: Credential, call: Call, nowMs: number): void {
    this.enter(nowMs);
    this.credentials.add(credential, call, this.phase === 'ready');
    this.flushLater();
    this.rearm();
  }

  /** Ends the session at the server, if one can be reached in time, and then the client. */
  close(nowMs: number): void {
    this.enter(nowMs);
    if (this.isClosing || this.isOver) return;
    this.isClosing = true;
    this.pipeline.failWaiting('closed');
    this.closeDeadlineMs = nowMs + Math.min(this.session.timeoutMs, CLOSE_MS_MAX);
    if (this.phase === 'ready') this.sendClose();
    else if (this.session.id === 0n) this.finish('closed', null);
    this.rearm();
  }

  /** Ends the client and leaves the session, for another client to go on with. */
  detach(nowMs: number): void {
    this.nowMs = nowMs;
    this.finish('closed', 'the session was handed over');
  }

  /** Another list of servers; gives the present connection up where the balance asks for it. */
  updateHosts(hosts: readonly Host[], nowMs: number): void {
    this.enter(nowMs);
    if (this.hosts.update(hosts, this.server) && !this.isClosing) this.breakOff('moving to another server');
    this.rearm();
  }

  onOpen(nowMs: number): void {
    this.enter(nowMs);
    if (this.phase !== 'dialing') return;
    this.phase = 'handshake';
    this.heardMs = this.sentMs = nowMs;
    this.splitter = new FrameSplitter(this.options.replyBytesMax, this);
    this.ports.send(connectFrame(this.session, this.options));
    this.rearm();
  }

  onBytes(bytes: Uint8Array, nowMs: number): void {
    this.enter(nowMs);
    if (this.phase === 'idle' || this.phase === 'over') return;
    this.heardMs = nowMs;
    try {
      if (this.splitter.push(bytes) === FrameStatus.tooLong) this.breakOff('a reply above replyBytesMax');
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error;
      this.breakOff(`a reply that cannot be read: ${error.message}`);
    }
    if (this.phase === 'ready' && !this.isClosing) this.pumpAndFlush();
    this.rearm();
  }

  /** The connection ended, or could not be made. */
  onClosed(cause: string, nowMs: number): void {
    this.nowMs = nowMs;
    if (this.phase === 'idle' || this.phase === 'over') return;
    if (this.phase === 'handshake') this.pacing.onRefused();
    this.onEnd(cause);
    this.rearm();
  }

  /** Answer to `probe`; null = none. */
  onProbed(host: Host, readWrite: boolean | null, nowMs: number): void {
    this.enter(nowMs);
    if (this.state === 'readonly' && this.search.onProbed(host, readWrite)) {
      this.hosts.prefer(host);
      this.breakOff('a read-write server was found');
    }
    this.rearm();
  }

  onTick(nowMs: number): void {
    this.enter(nowMs);
    if (this.isOver) return;
    if (nowMs >= this.closeDeadlineMs) this.finish('closed', 'the session could not be closed in time');
    else if (this.phase === 'idle' && nowMs >= this.retryAtMs) this.dialNext();
    else if (this.phase !== 'ready' && nowMs >= this.deadlineMs) this.breakOff('no answer in time');
    else if (this.phase === 'ready') this.keepAlive();
    this.rearm();
  }

  /** Sends what this turn has written. */
  flush(nowMs: number): void {
    this.flushAsked = false;
    this.nowMs = nowMs;
    if (this.phase !== 'ready' && this.phase !== 'securing') return;
    if (!this.pipeline.hasFrames) return;
    this.sentMs = nowMs;
    this.ports.send(this.pipeline.takeFrames());
    this.rearm();
  }

  onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (this.phase === 'handshake') {
      this.onConnectResponse(new JuteReader(bytes, view, start, end));
      return true;
    }
    if (this.phase !== 'ready' && this.phase !== 'securing') return true;
    const reader = new JuteReader(bytes, view, start, end);
    const { xid, zxid, err } = readReplyHeader(reader);
    const body = start + REPLY_HEADER_BYTES;
    switch (xid) {
      case SpecialXid.notification:
        this.session.onEvent(zxid);
        this.registry.dispatch(readWatchEvent(reader), zxid > 0 ? zxid : null);
        return true;
      case SpecialXid.ping:
        this.pipeline.prove(Math.min(this.pingSentMs, this.nowMs));
        this.pingSentMs = NEVER;
        this.session.onReply(zxid);
        return true;
      case SpecialXid.auth:
        if (!this.credentials.onReply(err)) this.finish('authFailed', 'a server refused the credentials');
        return true;
      default:
        this.session.onReply(zxid);
        if (this.pipeline.onReply(xid, zxid, err, bytes, view, body, end)) return true;
        this.breakOff(`a reply out of order (xid ${xid})`);
        return true;
    }
  }

  /** Every way in: a pause of this process must be seen before anything is told to anyone. */
  private enter(nowMs: number): void {
    this.nowMs = nowMs;
    const isSilent = nowMs - this.heardMs > this.session.silenceMs;
    if (this.phase === 'ready' && isSilent) this.breakOff('no byte for too long');
    else this.noteLoss();
  }

  private noteLoss(): void {
    if (this.state === 'suspended' && this.nowMs >= this.lossMs) this.become('lost', null);
  }

  private dialNext(): void {
    this.pacing.beforeAttempt(this.session.seenZxid);
    this.phase = 'dialing';
    this.retryAtMs = NEVER;
    this.server = this.hosts.take();
    this.deadlineMs = this.nowMs + this.session.attemptMs(this.hosts.size);
    this.ports.dial(this.server);
  }

  private onConnectResponse(reader: JuteReader): void {
    const response = readConnectResponse(reader);
    if (response.timeoutMs <= 0) {
      this.onExpired();
      return;
    }
    const isNew = this.session.accept(response);
    const readOnly = response.readOnly === true;
    this.pipeline.prove(this.sentMs);
    this.hosts.onConnected(this.server!);
    this.pingSentMs = NEVER;
    if (this.newSasl === null) this.onSecured(isNew, readOnly);
    else this.secure(this.newSasl, isNew, readOnly);
  }

  private secure(newSasl: SaslHook, isNew: boolean, readOnly: boolean): void {
    this.phase = 'securing';
    const onDone = (refusal: string | null): void =>
      refusal === null ? this.onSecured(isNew, readOnly) : this.finish('authFailed', refusal);
    runSasl(newSasl, this.server!, (call) => this.sendAtOnce(call), onDone);
  }

  private onSecured(isNew: boolean, readOnly: boolean): void {
    this.phase = 'ready';
    this.deadlineMs = NEVER;
    this.sentMs = this.nowMs;
    this.pacing.onReady(this.nowMs);
    if (this.isClosing) {
      this.sendClose();
      return;
    }
    this.credentials.sendAll();
    const { epoch, repliedZxid } = this.session;
    const failed = (cause: string): void => this.breakOff(cause);
    if (!isNew) restoreWatches(this.pipeline, this.registry, this.nowMs, repliedZxid, failed);
    else if (epoch > 1) renewWatches(this.pipeline, this.registry, this.nowMs);
    this.search.reset(this.nowMs);
    this.become(readOnly ? 'readonly' : 'connected', null);
    this.pumpAndFlush();
  }

  private onExpired(): void {
    this.ports.hangUp();
    this.server = null;
    this.phase = 'idle';
    this.session.expire();
    this.registry.endSession();
    this.pipeline.failWaiting('sessionExpired');
    this.become('expired', 'a server said that the session has expired');
    if (this.isClosing || this.options.onExpired === 'close') {
      this.finish('closed', 'the session has expired');
      return;
    }
    this.retryAtMs = this.nowMs;
    this.become('connecting', null);
  }

  private keepAlive(): void {
    if (this.pingSentMs === NEVER && this.nowMs - this.sentMs >= this.session.pingMs) {
      this.pingSentMs = this.nowMs;
      this.pipeline.sendPing();
      this.flushLater();
    }
    if (this.state === 'readonly') this.search.onTick(this.nowMs, this.server!);
  }

  private pumpAndFlush(): void {
    this.pipeline.pump(this.nowMs);
    this.flushLater();
  }

  private flushLater(): void {
    if (!this.flushAsked && this.pipeline.hasFrames) this.ports.flushSoon();
    this.flushAsked ||= this.pipeline.hasFrames;
  }

  private sendClose(): void {
    this.sendAtOnce(new CloseCall(() => this.finish('closed', null)));
  }

  private sendAtOnce(call: Call): void {
    this.pipeline.sendNow(call, this.nowMs);
    this.flushLater();
  }

  /** Gives the present connection up and goes on with the next. */
  private breakOff(cause: string): void {
    if (this.phase === 'over' || this.phase === 'idle') return;
    this.ports.hangUp();
    this.onEnd(cause);
  }

  /** The connection is gone, whoever ended it. */
  private onEnd(cause: string): void {
    const { phase } = this;
    const wasReady = phase === 'ready';
    this.phase = 'idle';
    this.server = null;
    this.deadlineMs = NEVER;
    if (this.isClosing && wasReady) {
      this.finish('closed', null);
      return;
    }
    if (wasReady || phase === 'securing') this.pipeline.onBroken('connectionLoss');
    this.credentials.onBroken();
    if (wasReady) {
      this.pacing.onLost(this.nowMs);
      this.become('suspended', cause);
      this.noteLoss();
    }
    this.retryAtMs = this.nowMs + this.pacing.pauseMs();
  }

  private finish(state: 'closed' | 'authFailed', cause: string | null): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.ports.hangUp();
    this.server = null;
    this.pipeline.onBroken(state);
    this.pipeline.failWaiting(state);
    this.credentials.onOver(state);
    this.registry.endEverything();
    this.become(state, cause);
  }

  private become(state: SessionState, cause: string | null): void {
    if (state === this.state && state !== 'connecting') return;
    this.state = state;
    const { epoch, id: sessionId } = this.session;
    const server = this.server === null ? null : hostText(this.server);
    this.ports.onState({ state, epoch, sessionId, server, cause });
  }

  /** Tells the driver when to come back. */
  private rearm(): void {
    if (this.isOver) return;
    let at = Math.min(this.closeDeadlineMs, this.retryAtMs, this.deadlineMs);
    if (this.phase === 'ready') {
      at = Math.min(at, this.heardMs + this.session.silenceMs + 1);
      if (this.pingSentMs === NEVER) at = Math.min(at, this.sentMs + this.session.pingMs);
      if (this.state === 'readonly') at = Math.min(at, this.search.nextMs);
    } else if (this.state === 'suspended') {
      at = Math.min(at, this.lossMs);
    }
    this.ports.wakeAt(at);
  }
}
