/**
 * Where one request's bytes lie, decoded as far as its header. A reading position that is moved from frame to frame.
 *
 *     bytes   ...| xid int32 | op int32 | record |...
 *                ^headerStart           ^start   ^end
 */
import { REQUEST_HEADER_BYTES, REQUEST_TYPE, REQUEST_XID } from '../../wire/requests.ts';

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

export class Frame {
  xid = 0;
  op = 0;
  bytes: Uint8Array = NO_BYTES;
  view: DataView = NO_VIEW;
  headerStart = 0;
  start = 0;
  end = 0;
  /** When it arrived, on the turn's monotonic clock. */
  receivedMs = 0;

  /** It is long enough for the header. */
  moveTo(bytes: Uint8Array, view: DataView, headerStart: number, end: number, receivedMs: number): void {
    this.xid = view.getInt32(headerStart + REQUEST_XID);
    this.op = view.getInt32(headerStart + REQUEST_TYPE);
    this.bytes = bytes;
    this.view = view;
    this.headerStart = headerStart;
    this.start = headerStart + REQUEST_HEADER_BYTES;
    this.end = end;
    this.receivedMs = receivedMs;
  }
}
