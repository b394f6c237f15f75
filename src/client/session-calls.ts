/**
 * Requests that the session makes itself: watches on a new connection, SASL steps, the end. A machine's parts.
 */
import type { Zxid } from '../base/zxid.ts';
import { writeConnectRequest } from '../wire/connect.ts';
import { JuteReader } from '../wire/jute-reader.ts';
import { JuteWriter } from '../wire/jute-writer.ts';
import { AddWatchMode, OpCode } from '../wire/opcodes.ts';
import { readResponse } from '../wire/responses.ts';
import { Call } from './call.ts';
import type { Host } from './connect-string.ts';
import type { RequestPipeline } from './request-pipeline.ts';
import type { SaslHook } from './sasl-digest.ts';
import type { SessionIdentity } from './session-identity.ts';
import type { SessionOptions } from './session-state.ts';
import type { WatchKind, WatchRegistry } from './watch-registry.ts';

/** A handshake with its length. */
const CONNECT_BYTES = 64;

/** The first frame of a connection. */
export function connectFrame(session: SessionIdentity, options: SessionOptions): Uint8Array {
  const { id: sessionId, password, seenZxid: lastZxidSeen } = session;
  const { sessionTimeoutMs: timeoutMs, readOnly } = options;
  const writer = new JuteWriter(CONNECT_BYTES);
  const frame = writer.beginBuffer();
  writeConnectRequest(writer, { protocolVersion: 0, lastZxidSeen, timeoutMs, sessionId, password, readOnly });
  writer.endBuffer(frame);
  return writer.toBytes();
}

/** A call whose end is a function. */
class InternalCall extends Call {
  private readonly onEnd: (err: number | null) => void;

  constructor(request: Call['request'], onEnd: (err: number | null) => void) {
    super(request, null, 0);
    this.onEnd = onEnd;
  }

  override get isOfConnection(): boolean {
    return true;
  }

  onReply(): void {
    this.onEnd(0);
  }

  onRefused(err: number): void {
    this.onEnd(err);
  }

  /** The connection is gone; whatever it was for starts again on the next. */
  onFailed(): void {
    this.onEnd(null);
  }
}

class SaslCall extends Call {
  private readonly onToken: (token: Uint8Array | null) => void;

  constructor(token: Uint8Array, onToken: (token: Uint8Array | null) => void) {
    super({ op: OpCode.sasl, token }, null, 0);
    this.onToken = onToken;
  }

  override get isOfConnection(): boolean {
    return true;
  }

  onReply(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.onToken(readResponse(new JuteReader(bytes, view, start, end), OpCode.sasl).token);
  }

  onRefused(): void {
    this.onToken(null);
  }

  onFailed(): void {}
}

/** What the user's side of an exchange answers, or what it threw: without an answer there is no going on. */
function asked<T>(ask: () => T): T | { readonly thrown: string } {
  try {
    return ask();
  } catch (error) {
    return { thrown: `the SASL exchange threw: ${(error as Error).message}` };
  }
}

/** Takes an exchange to its end, one token at a time; nothing else is under way meanwhile. */
export function runSasl(
  newExchange: SaslHook,
  host: Host,
  send: (call: Call) => void,
  onDone: (refusal: string | null) => void,
): void {
  const exchange = asked(() => newExchange(host));
  if ('thrown' in exchange) {
    onDone(exchange.thrown);
    return;
  }
  const step = (token: Uint8Array): void => {
    send(
      new SaslCall(token, (answer) => {
        if (answer === null) {
          onDone('a server refused the SASL exchange');
          return;
        }
        const next = asked(() => exchange.next(answer));
        if (next === null) onDone(null);
        else if (next instanceof Uint8Array) step(next);
        else
          onDone(
            next === 'refused' ? "the server's side of the SASL exchange is not to be trusted" : next.thrown,
          );
      }),
    );
  };
  const first = asked(() => exchange.first());
  if (first instanceof Uint8Array) step(first);
  else onDone(first.thrown);
}

/** closeSession; any end of the connection is an answer too. */
export class CloseCall extends InternalCall {
  constructor(onEnd: () => void) {
    super({ op: OpCode.closeSession }, onEnd);
  }
}

/**
 * The same session on another connection: setWatches in parts, all relative to one zxid. Persistent watches get no
 * catch-up, so their watchers are told of a gap once the server has them again.
 */
export function restoreWatches(
  pipeline: RequestPipeline,
  registry: WatchRegistry,
  nowMs: number,
  relativeZxid: Zxid,
  onImpossible: (cause: string) => void,
): void {
  const parts = registry.restoreParts();
  let open = parts.length;
  const onEnd = (err: number | null): void => {
    if (err === null) return;
    if (err !== 0) onImpossible(`the server did not take the watches back (${err})`);
    else if (--open === 0) registry.tellGap('reconnect');
  };
  for (const part of parts) {
    const { data, exist, child, persistent, persistentRecursive } = part;
    // The older request also works on servers before 3.6.
    const hasPersistent = persistent.length > 0 || persistentRecursive.length > 0;
    const request = hasPersistent
      ? { op: OpCode.setWatches2, relativeZxid, data, exist, child, persistent, persistentRecursive }
      : { op: OpCode.setWatches, relativeZxid, data, exist, child };
    pipeline.sendNow(new InternalCall(request, onEnd), nowMs);
  }
}

/** A new session: persistent watches are set once more, and whoever holds them is told that events may be missing. */
export function renewWatches(pipeline: RequestPipeline, registry: WatchRegistry, nowMs: number): void {
  const all = registry.endSession();
  let open = all.length;
  for (const { kind, path } of all) {
    const onEnd = (err: number | null): void => {
      if (err === null) return;
      if (err !== 0) registry.endPath(kind, path);
      if (--open === 0) registry.tellGap('newSession');
    };
    pipeline.sendNow(new InternalCall({ op: OpCode.addWatch, path, mode: modeOf(kind) }, onEnd), nowMs);
  }
}

function modeOf(kind: WatchKind): number {
  return kind === 'persistent' ? AddWatchMode.persistent : AddWatchMode.persistentRecursive;
}
