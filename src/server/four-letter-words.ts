/**
 * The answers to four-letter words, in Apache 3.8.0's format to the byte wherever a tool might look. Pure text out
 * of a `ServerView`; who received the word sends the text and closes the connection. Runs on the thread that owns
 * the view, off the data plane: `wchc` of a million watches is one long string.
 */
import { join } from 'node:path';
import { hex64 } from '../base/int64.ts';
import { type Zxid, zxidHex } from '../base/zxid.ts';
import { fourLetterName } from '../wire/four-letter.ts';
import { lastOpName } from '../wire/opcodes.ts';
import type { ServerConfig } from './config/server-config.ts';
import { environment } from './monitor/environment.ts';
import { dateText, socketAddressText } from './monitor/java-text.ts';
import { averageText, monitorText } from './monitor/mntr.ts';
import type { ConnectionSession, ConnectionView, ServerView } from './monitor/server-view.ts';
import { versionLine } from './version.ts';

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
/** Apache's default mask; kept and shown, but nothing is traced. */
const TRACE_MASK = 306n;
/** `serverId` of a standalone Apache in `conf`. */
const STANDALONE_SERVER_ID = 0;

/** Words that answer although the server does not serve. */
const ALWAYS_ANSWERED: ReadonlySet<string> = new Set(['ruok', 'envi', 'gtmk', 'stmk', 'isro']);

export class FourLetterWords {
  private readonly view: ServerView;
  private readonly config: ServerConfig;
  /** The port in use: differs from the configured one when that is 0. */
  private readonly clientPort: number;
  private readonly enabled: ReadonlySet<string>;
  private traceMask = TRACE_MASK;

  constructor(view: ServerView, config: ServerConfig, clientPort: number) {
    this.view = view;
    this.config = config;
    this.clientPort = clientPort;
    this.enabled = new Set(['srvr', ...config.fourLetterWordsWhitelist]);
  }

  /**
   * The whole answer to `word` (the four bytes as an int32); the connection is closed behind it. `argument` is the
   * int64 behind `stmk`, null when it did not come along.
   */
  answer(word: number, argument: bigint | null): string {
    const name = fourLetterName(word);
    if (name === undefined) return '';
    if (!this.enabled.has(name) && !this.enabled.has('*')) {
      return `${name} is not executed because it is not in the whitelist.\n`;
    }
    if (!this.view.serving && !ALWAYS_ANSWERED.has(name)) {
      return name === 'hash' ? NOT_SERVING : `${NOT_SERVING}\n`;
    }
    if (name === 'stmk') return this.setTraceMask(argument);
    return this.textOf(name);
  }

  private textOf(name: string): string {
    switch (name) {
      case 'ruok':
        return 'imok';
      case 'conf':
        return this.conf();
      case 'cons':
        return `${this.view.connections().map(fullLine).join('')}\n`;
      case 'crst':
        this.view.resetConnectionStats();
        return 'Connection stats reset.\n';
      case 'srst':
        this.view.resetServerStats();
        return 'Server stats reset.\n';
      case 'dirs':
        return this.dirs();
      case 'dump':
        return this.dump();
      case 'envi':
        return `Environment:\n${environment().map(pairLine).join('')}`;
      case 'srvr':
        return `${this.versionBlock()}${this.statistics()}`;
      case 'stat':
        return this.stat();
      case 'wchs':
        return this.watchSummary();
      case 'wchc':
        return `${this.view
          .watchesBySession()
          .map((of) => sessionLine(of.sessionId) + of.paths.map(indented).join(''))
          .join('')}\n`;
      case 'wchp':
        return `${this.view
          .watchesByPath()
          .map((of) => `${of.path}\n${of.sessionIds.map(indentedSession).join('')}`)
          .join('')}\n`;
      case 'mntr':
        return monitorText(this.view);
      case 'isro':
        return this.view.serving ? 'rw' : 'null';
      case 'hash':
        return this.view
          .digests()
          .map((at) => `${zxidHex(at.zxid)}: ${at.digest}\n`)
          .join('');
      case 'gtmk':
        return String(this.traceMask);
      default:
        // `telnet close` only says that the other end is leaving.
        return '';
    }
  }

  private setTraceMask(mask: bigint | null): string {
    if (mask === null) return '';
    this.traceMask = mask;
    return String(mask);
  }

  private conf(): string {
    const config = this.config;
    const bytes = this.view.directoryBytes();
    return [
      ['clientPort', this.clientPort],
      ['secureClientPort', -1],
      ['dataDir', join(config.dataDir, 'version-2')],
      ['dataDirSize', bytes.dataDir],
      ['dataLogDir', join(config.dataLogDir, 'version-2')],
      ['dataLogSize', bytes.dataLogDir],
      ['tickTime', config.tickTimeMs],
      ['maxClientCnxns', config.maxClientCnxns],
      ['minSessionTimeout', config.minSessionTimeoutMs],
      ['maxSessionTimeout', config.maxSessionTimeoutMs],
      ['clientPortListenBacklog', config.clientPortListenBacklog],
      ['serverId', STANDALONE_SERVER_ID],
    ]
      .map((pair) => `${pair[0]}=${pair[1]}\n`)
      .join('');
  }

  private dirs(): string {
    const bytes = this.view.directoryBytes();
    return `datadir_size: ${bytes.dataDir}\nlogdir_size: ${bytes.dataLogDir}\n`;
  }

  private dump(): string {
    const buckets = this.view.sessionBuckets();
    const ephemerals = this.view.ephemerals();
    const connectionBuckets = this.view.connectionBuckets();
    const sessionCount = buckets.reduce((count, bucket) => count + bucket.sessionIds.length, 0);
    const connectionCount = connectionBuckets.reduce((count, bucket) => count + bucket.connections.length, 0);
    let text = `SessionTracker dump:\nSession Sets (${buckets.length})/(${sessionCount}):\n`;
    for (const bucket of buckets) {
      text += `${bucket.sessionIds.length} expire at ${dateText(bucket.expiresWallMs)}:\n`;
      text += bucket.sessionIds.map(indentedSession).join('');
    }
    text += `ephemeral nodes dump:\nSessions with Ephemerals (${ephemerals.length}):\n`;
    for (const of of ephemerals) text += `${hex64(of.sessionId)}:\n${of.paths.map(indented).join('')}`;
    text += `Connections dump:\nConnections Sets (${connectionBuckets.length})/(${connectionCount}):\n`;
    for (const bucket of connectionBuckets) {
      text += `${bucket.connections.length} expire at ${dateText(bucket.expiresWallMs)}:\n`;
      for (const { address, port, sessionId } of bucket.connections) {
        text += `\tip: ${socketAddressText(address, port)} sessionId: ${hex64(sessionId)}\n`;
      }
    }
    return text;
  }

  private versionBlock(): string {
    return `Zookeeper version: ${versionLine()}\n`;
  }

  private stat(): string {
    const connections = this.view.connections().map(briefLine).join('');
    return `${this.versionBlock()}Clients:\n${connections}\n${this.statistics()}`;
  }

  private statistics(): string {
    const counts = this.view.counts();
    const { latency } = counts;
    return (
      `Latency min/avg/max: ${Math.floor(latency.min)}/${averageText(latency)}/${Math.floor(latency.max)}\n` +
      `Received: ${counts.packetsReceived}\nSent: ${counts.packetsSent}\nConnections: ${counts.connections}\n` +
      `Outstanding: ${counts.outstanding}\nZxid: 0x${zxidHex(counts.lastZxid)}\nMode: standalone\n` +
      `Node count: ${counts.nodes}\n`
    );
  }

  private watchSummary(): string {
    const { connections, paths, watches } = this.view.watches();
    return `${connections} connections watching ${paths} paths\nTotal watches:${watches}\n`;
  }
}

function pairLine(pair: readonly [string, string]): string {
  return `${pair[0]}=${pair[1]}\n`;
}

function indented(text: string): string {
  return `\t${text}\n`;
}

function indentedSession(sessionId: bigint): string {
  return `\t${hex64(sessionId)}\n`;
}

function sessionLine(sessionId: bigint): string {
  return `${hex64(sessionId)}\n`;
}

function briefLine(connection: ConnectionView): string {
  return `${lineStart(connection)})\n`;
}

function fullLine(connection: ConnectionView): string {
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
