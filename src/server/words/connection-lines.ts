/** A connection as a line of `stat` (brief) and of `cons` (full). */
import { hex64 } from '../../base/int64.ts';
import type { Zxid } from '../../base/zxid.ts';
import { lastOpName } from '../../wire/opcodes.ts';
import { socketAddressText } from '../monitor/java-text.ts';
import type { ConnectionSession, ConnectionView } from '../monitor/server-view.ts';

export function briefLine(connection: ConnectionView): string {
  return `${lineStart(connection)})\n`;
}

export function fullLine(connection: ConnectionView): string {
  const { session } = connection;
  return `${lineStart(connection)}${session === null ? '' : sessionPart(session)})\n`;
}

function lineStart(connection: ConnectionView): string {
  const address = socketAddressText(connection.address, connection.port);
  const ops = connection.interestOps.toString(16);
  return ` ${address}[${ops}](queued=${connection.queued},recved=${connection.received},sent=${connection.sent}`;
}

function sessionPart(session: ConnectionSession): string {
  const lastXid = session.lastXid >= 0 ? `,lcxid=0x${session.lastXid.toString(16)}` : '';
  return (
    `,sid=${hex64(session.id)},lop=${lastOpName(session.lastOpcode)},est=${session.establishedWallMs}` +
    `,to=${session.timeoutMs}${lastXid},lzxid=${zxidText(session.lastZxid)},lresp=${session.lastResponseMs}` +
    `,llat=${session.lastLatencyMs},minlat=${session.minLatencyMs},avglat=${session.averageLatencyMs}` +
    `,maxlat=${session.maxLatencyMs}`
  );
}

/** As 64 bits: -1, for none, is all ones. */
function zxidText(zxid: Zxid): string {
  return hex64(BigInt(zxid));
}
