/** The operator's lines about connections that an io thread refuses or ends; levels as Apache's. */
import type { NetReports } from '../../net/net-reports.ts';
import type { RepeatedLines } from './repeated-lines.ts';

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 3;
/** First words of HTTP requests. */
const HTTP = /^(GET |HEAD|POST|PUT |DELE|OPTI|CONN|TRAC|PATC|PRI )/;

export interface NetSettings {
  readonly frameBytesMax: number;
  readonly perAddressMax: number;
  readonly unreadBytesMax: number;
}

export class NetLines implements NetReports {
  private readonly lines: RepeatedLines;
  private readonly settings: NetSettings;

  constructor(lines: RepeatedLines, settings: NetSettings) {
    this.lines = lines;
    this.settings = settings;
  }

  refused(address: string, isOfAddress: boolean): void {
    if (isOfAddress) {
      const setting = `maxClientCnxns=${this.settings.perAddressMax}`;
      this.lines.say('address', 'warn', 'too many connections from one address', { address, setting });
    } else {
      const setting = 'maxCnxns, or the open files that the process may have';
      this.lines.say('all', 'warn', 'too many connections in all', { address, setting });
    }
  }

  badLength(address: string, port: number, length: number): void {
    const protocol = protocolOf(length);
    const client = `${address}:${port}`;
    if (protocol !== null) {
      const text = `a client speaks ${protocol} on the client port; its connection is closed`;
      this.lines.say(protocol, 'warn', text, { client });
    } else {
      const setting = `jute.maxbuffer=${this.settings.frameBytesMax}`;
      this.lines.say('length', 'warn', 'unreasonable length of a request; its connection is closed', {
        client,
        length,
        setting,
      });
    }
  }

  unread(address: string, port: number, bytes: number, isOfAll: boolean): void {
    const client = `${address}:${port}`;
    const setting = `ringkeeper.unreadBytesMax=${this.settings.unreadBytesMax}`;
    if (isOfAll) {
      const text = 'clients leave too much unread; the connection with the most is closed';
      this.lines.say('unreadOfAll', 'warn', text, { client, bytes, setting });
    } else {
      this.lines.say('unread', 'warn', 'a client does not read; its connection is closed', { client, bytes });
    }
  }
}

/** By the four bytes that stand where a length should be. */
function protocolOf(length: number): string | null {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  if (bytes[0] === TLS_HANDSHAKE && bytes[1] === TLS_MAJOR_VERSION) return 'TLS';
  return HTTP.test(bytes.toString('latin1')) ? 'HTTP' : null;
}
