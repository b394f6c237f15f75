/** The operator's lines about clients that the core refuses or gives up; levels as Apache's. Core thread. */
import { hex64, joinHalves } from '../../base/int64.ts';
import type { Zxid } from '../../base/zxid.ts';
import type { ReportPort } from '../../core/ports/report-port.ts';
import type { LogFields } from '../logging/logging.ts';
import type { RepeatedLines } from './repeated-lines.ts';

export class ClientLines implements ReportPort {
  private readonly lines: RepeatedLines;

  constructor(lines: RepeatedLines) {
    this.lines = lines;
  }

  sessionExpired(idHigh: number, idLow: number, timeoutMs: number): void {
    this.lines.say('expired', 'info', 'session expired', { ...sessionOf(idHigh, idLow), timeoutMs });
  }

  authFailed(address: string, port: number, idHigh: number, idLow: number, scheme: string): void {
    const fields = { client: `${address}:${port}`, ...sessionOf(idHigh, idLow), scheme };
    this.lines.say('auth', 'warn', 'authentication failed; the connection is closed', fields);
  }

  zxidAhead(address: string, port: number, seen: Zxid, own: Zxid): void {
    const text = 'a client has seen a later zxid than this server; it must look for another one';
    const zxids = { seenZxid: `0x${seen.toString(16)}`, zxid: `0x${own.toString(16)}` };
    this.lines.say('zxid', 'info', text, { client: `${address}:${port}`, ...zxids });
  }
}

function sessionOf(idHigh: number, idLow: number): LogFields {
  return { session: hex64(joinHalves(idHigh, idLow)) };
}
