/**
 * What servers say to each other on the election port: one initial message of the dialler, then notifications both ways.
 * Pure, any thread; nothing here trusts a length, and what is malformed is a value that names the fault.
 *
 *     initial message, once, unframed:
 *       i64 protocol version | i64 sid | i32 length 1…2048 | that many bytes of UTF-8
 *           -65536  V1         "host:port" of the dialler's election address
 *           -65535  V2         "host1:port1|host2:port2…"
 *           >= 0    3.4 and older: this is the sid, and the message ends here
 *
 *     notification, framed by i32 length 1…524288:
 *       0 i32 state | 4 i64 leader | 12 i64 zxid | 20 i64 electionEpoch           28 bytes: 3.3 and older
 *       28 i64 peerEpoch | 36 i32 version                                         40 bytes: 3.4.6 and later of 3.4
 *       40 i32 configLength | 44 UTF-8 text of the sender's committed configuration     since 3.5
 *
 * 64-bit numbers are kept as JavaScript's: exact within 2^53, and Long.MIN_VALUE ("no vote") is exact too. A message with
 * any other number beyond 2^53 is malformed here: no ensemble gets there, and a round taken from it could not be counted up.
 */
import { readInt64, writeInt64 } from '../base/int64.ts';
import { EMPTY_BYTES } from './flyweight.ts';
import { type HostPort, hostPortText, isWildcard, parseHostPort } from './host-port.ts';
import { FRAME_PREFIX_BYTES } from './limits.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/** What a server is doing, as it tells others. */
export const ServerState = { looking: 0, following: 1, leading: 2, observing: 3 } as const;
export type ServerState = (typeof ServerState)[keyof typeof ServerState];

/** Long.MIN_VALUE: in place of leader, zxid and epoch in the notifications of those who do not vote. */
export const NO_VOTE = -(2 ** 63);

/** Of a notification, without its length in front. */
export const NOTIFICATION_BYTES_MAX = 512 * 1024;
export const NOTIFICATION_VERSION = 2;

export interface ElectionNotification {
  /** A ServerState, or a number that some later version may mean something by. */
  readonly state: number;
  readonly leader: number;
  readonly zxid: number;
  readonly electionEpoch: number;
  readonly peerEpoch: number;
  /** 0: the sender is older than 3.5. */
  readonly version: number;
  /** UTF-8; empty where the sender gave none. */
  readonly config: Uint8Array;
}

/** Why bytes are no notification. */
export type NotificationFault =
  | 'too short'
  | 'cut off'
  | 'wrong length of configuration'
  | 'number out of range';

const BYTES_3_3 = 28;
const BYTES_3_4 = 40;
const HEAD_BYTES = 44;

export function decodeNotification(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): ElectionNotification | NotificationFault {
  const length = end - start;
  if (length < BYTES_3_3) return 'too short';
  const isOldest = length === BYTES_3_3;
  const isOld = length === BYTES_3_4;
  if (!isOldest && length < BYTES_3_4) return 'cut off';
  const zxid = readExact(view, start + 12);
  // In 40 bytes there is a version, which its readers of that time do not look at.
  const version = isOldest || isOld ? 0 : view.getInt32(start + 36);
  const notification = {
    state: view.getInt32(start),
    leader: readExact(view, start + 4),
    zxid,
    electionEpoch: readExact(view, start + 20),
    peerEpoch: isOldest ? Math.floor(zxid / 2 ** 32) : readExact(view, start + 28),
    version,
    config: EMPTY_BYTES,
  };
  const { leader, electionEpoch, peerEpoch } = notification;
  if (Number.isNaN(leader + zxid + electionEpoch + peerEpoch)) return 'number out of range';
  if (version < NOTIFICATION_VERSION) return notification;
  if (length < HEAD_BYTES) return 'cut off';
  const configLength = view.getInt32(start + 40);
  if (configLength < 0 || configLength > length - HEAD_BYTES) return 'wrong length of configuration';
  // A copy, which `slice` of a Buffer is not: the bytes are the reader's.
  notification.config = new Uint8Array(bytes.subarray(start + HEAD_BYTES, start + HEAD_BYTES + configLength));
  return notification;
}

/** NaN: neither within 2^53 nor Long.MIN_VALUE, whose neighbours would be read as it. */
function readExact(view: DataView, offset: number): number {
  const value = readInt64(view, offset);
  if (Number.isSafeInteger(value)) return value;
  return value === NO_VOTE && view.getInt32(offset + 4) === 0 ? value : Number.NaN;
}

/** As version 2, with its length in front: what leaves in one write. */
export function encodeNotification(notification: ElectionNotification): Uint8Array {
  const { config } = notification;
  const frame = new Uint8Array(FRAME_PREFIX_BYTES + HEAD_BYTES + config.length);
  const view = new DataView(frame.buffer);
  view.setInt32(0, HEAD_BYTES + config.length);
  view.setInt32(4, notification.state);
  writeInt64(view, 8, notification.leader);
  writeInt64(view, 16, notification.zxid);
  writeInt64(view, 24, notification.electionEpoch);
  writeInt64(view, 32, notification.peerEpoch);
  view.setInt32(40, notification.version);
  view.setInt32(44, config.length);
  frame.set(config, FRAME_PREFIX_BYTES + HEAD_BYTES);
  return frame;
}

export interface InitialMessage {
  /** Null: an observer of 3.4 or older, which gives no sid. */
  readonly sid: number | null;
  /** Where the dialler can be called back; wildcards are left out. Empty: where the configuration says. */
  readonly addresses: readonly HostPort[];
}

/** Why bytes are no initial message; `needs more` is no fault yet. */
export type InitialMessageFault =
  | 'needs more'
  | 'not an election connection'
  | 'newer protocol'
  | 'sid out of range'
  | 'wrong length of addresses'
  | 'malformed address';

const INITIAL_HEAD_BYTES = 20;
const ADDRESS_BYTES_MAX = 2048;
export const INITIAL_MESSAGE_BYTES_MAX = INITIAL_HEAD_BYTES + ADDRESS_BYTES_MAX;
const VERSION_HIGH = -1;
const V1_LOW = -65_536;
const V2_LOW = -65_535;
/** Upper half of Long.MAX_VALUE, whose lower half is all ones: the sid of an anonymous observer. */
const ANONYMOUS_HIGH = 0x7fffffff;

/** The message at the beginning of `bytes`, and how many of them it takes. */
export function decodeInitialMessage(
  bytes: Uint8Array,
  length: number,
): { readonly message: InitialMessage; readonly bytes: number } | InitialMessageFault {
  if (length < 8) return 'needs more';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const high = view.getInt32(0);
  if (high >= 0) {
    const sid = sidAt(view, 0);
    return sid === undefined ? 'sid out of range' : { message: { sid, addresses: [] }, bytes: 8 };
  }
  const low = view.getInt32(4);
  if (high !== VERSION_HIGH || low < V1_LOW || low >= 0) return 'not an election connection';
  if (low > V2_LOW) return 'newer protocol';
  if (length < INITIAL_HEAD_BYTES) return 'needs more';
  const sid = sidAt(view, 8);
  if (sid === undefined) return 'sid out of range';
  const addressBytes = view.getInt32(16);
  if (addressBytes <= 0 || addressBytes > ADDRESS_BYTES_MAX) return 'wrong length of addresses';
  const end = INITIAL_HEAD_BYTES + addressBytes;
  if (length < end) return 'needs more';
  const addresses: HostPort[] = [];
  for (const part of decodeUtf8(bytes, INITIAL_HEAD_BYTES, end).split('|')) {
    const address = parseHostPort(part);
    if (address === null) return 'malformed address';
    if (!isWildcard(address.host)) addresses.push(address);
  }
  return { message: { sid, addresses }, bytes: end };
}

/** Undefined: none that a member can have. */
function sidAt(view: DataView, offset: number): number | null | undefined {
  if (view.getInt32(offset) === ANONYMOUS_HIGH && view.getInt32(offset + 4) === -1) return null;
  const sid = readInt64(view, offset);
  return Number.isSafeInteger(sid) && sid >= 0 ? sid : undefined;
}

/** V1 names the first address only; V2, which 3.6 and later understand, all of them. */
export function encodeInitialMessage(
  sid: number,
  addresses: readonly HostPort[],
  protocol: 'V1' | 'V2',
): Uint8Array {
  const named = protocol === 'V1' ? addresses.slice(0, 1) : addresses;
  const text = encodeUtf8(named.map(hostPortText).join('|'));
  const bytes = new Uint8Array(INITIAL_HEAD_BYTES + text.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, VERSION_HIGH);
  view.setInt32(4, protocol === 'V1' ? V1_LOW : V2_LOW);
  writeInt64(view, 8, sid);
  view.setInt32(16, text.length);
  bytes.set(text, INITIAL_HEAD_BYTES);
  return bytes;
}
