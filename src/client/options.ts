/**
 * What `connect` takes, with its defaults, checked once. Pure.
 */
import { FRAME_BYTES_MAX_DEFAULT } from '../wire/limits.ts';
import type { Credential } from './credentials.ts';
import { NodeTransport, type TlsOptions, type Transport } from './node-transport.ts';
import type { SaslHook } from './sasl-digest.ts';
import type { Notice, SessionOptions, SessionTicket } from './session-state.ts';

export interface ConnectOptions {
  /** Wanted; the server grants one between its own bounds. */
  readonly sessionTimeoutMs?: number;
  /** Accept a read-only server, and go on looking for a read-write one. */
  readonly readOnly?: boolean;
  readonly auth?: readonly Credential[];
  readonly tls?: TlsOptions;
  readonly sasl?: SaslHook;
  /** A session that another client had. */
  readonly session?: SessionTicket;
  /** After an expiry: open a new session, or end. */
  readonly onExpired?: 'renew' | 'close';
  /** While there is no connection: requests wait, or fail at once. */
  readonly offlineQueue?: 'wait' | 'fail';
  /** Bound of every call that names none of its own; 0 = none. */
  readonly requestTimeoutMs?: number;
  /** Requests on their way at a time; more wait. */
  readonly maxInFlight?: number;
  /** Requests that may wait, and their bytes; more are refused with QUEUEFULL. */
  readonly maxWaiting?: number;
  readonly maxWaitingBytes?: number;
  /** The server's jute.maxbuffer: larger requests are refused here, because the server would close the connection. */
  readonly requestBytesMax?: number;
  readonly replyBytesMax?: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
  /** Facts for operators that no call can tell. */
  readonly onNotice?: (notice: Notice, detail: string) => void;
  /** In place of sockets: tests and the simulator. */
  readonly transport?: Transport;
}

export interface ResolvedOptions extends SessionOptions {
  readonly credentials: readonly Credential[];
  readonly sasl: SaslHook | null;
  readonly ticket: SessionTicket | null;
  readonly failOffline: boolean;
  readonly requestTimeoutMs: number;
  readonly requestBytesMax: number;
  readonly transport: Transport;
  readonly onNotice: (notice: Notice, detail: string) => void;
}

const SESSION_TIMEOUT_MS_DEFAULT = 30_000;
const IN_FLIGHT_DEFAULT = 1_000;
const WAITING_DEFAULT = 100_000;
const WAITING_BYTES_DEFAULT = 64 * 1024 * 1024;
/** Java's 1 MiB makes a client loop for ever on a large child list. */
const REPLY_BYTES_DEFAULT = 64 * 1024 * 1024;

/** @throws TypeError that names the option. */
export function resolveOptions(options: ConnectOptions): ResolvedOptions {
  return {
    sessionTimeoutMs: positive('sessionTimeoutMs', options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS_DEFAULT),
    readOnly: options.readOnly ?? false,
    onExpired: options.onExpired ?? 'renew',
    replyBytesMax: positive('replyBytesMax', options.replyBytesMax ?? REPLY_BYTES_DEFAULT),
    inFlightMax: positive('maxInFlight', options.maxInFlight ?? IN_FLIGHT_DEFAULT),
    waitingMax: positive('maxWaiting', options.maxWaiting ?? WAITING_DEFAULT),
    waitingBytesMax: positive('maxWaitingBytes', options.maxWaitingBytes ?? WAITING_BYTES_DEFAULT),
    credentials: options.auth ?? [],
    sasl: options.sasl ?? null,
    ticket: options.session ?? null,
    failOffline: options.offlineQueue === 'fail',
    requestTimeoutMs: notNegative('requestTimeoutMs', options.requestTimeoutMs ?? 0),
    requestBytesMax: positive('requestBytesMax', options.requestBytesMax ?? FRAME_BYTES_MAX_DEFAULT),
    transport: options.transport ?? new NodeTransport(options.tls ?? null),
    onNotice: options.onNotice ?? (() => undefined),
  };
}

function positive(name: string, value: number): number {
  if (!Number.isFinite(value) || value <= 0)
    throw new TypeError(`${name} must be a number above 0, not ${value}`);
  return value;
}

function notNegative(name: string, value: number): number {
  if (!Number.isFinite(value) || value < 0) throw new TypeError(`${name} must be 0 or more, not ${value}`);
  return value;
}

/** For `auth`: user and password of the scheme `digest`. */
export function digest(user: string, password: string): Credential {
  return { scheme: 'digest', auth: new TextEncoder().encode(`${user}:${password}`) };
}
