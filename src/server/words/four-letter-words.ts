/**
 * The answers to four-letter words, in Apache 3.8.0's format to the byte wherever a tool might look. Made of a
 * `ServerView`, in steps: an answer of any length holds nobody up (sliced-answer.ts), and what changes while it is made
 * may or may not be in it; what stays is in it once. Runs on the thread that owns the view.
 *
 *     word ──▶ whitelist, serving? ──▶ steps ──▶ SlicedAnswer ──▶ core: piece by piece, as far as the client reads
 *                                        └─ conf, dirs, mntr: first the figures of the file system, which somebody
 *                                           else looks up (file-facts.ts), or the time to wait for them is over
 */
import { join } from 'node:path';
import { type Zxid, zxidHex } from '../../base/zxid.ts';
import type { WordAnswer } from '../../core/ports/word-answer.ts';
import { fourLetterName } from '../../wire/four-letter.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { environment } from '../monitor/environment.ts';
import { type FileFigure, figureText } from '../monitor/file-facts.ts';
import { averageText, monitorText } from '../monitor/mntr.ts';
import type { ServerView } from '../monitor/server-view.ts';
import { versionLine } from '../monitor/version.ts';
import { briefLine, fullLine } from './connection-lines.ts';
import { dump } from './dump.ts';
import { SlicedAnswer } from './sliced-answer.ts';
import type { Steps } from './steps.ts';
import { watchesByPath, watchesBySession } from './watch-lines.ts';

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
const READ_ONLY = 'READ-ONLY mode; serving only read-only clients\n';
/** Apache's default mask; kept and shown, but nothing is traced. */
const TRACE_MASK = 306n;
/** `serverId` of a standalone Apache in `conf`. */
const STANDALONE_SERVER_ID = 0;

/** Words that answer although the server does not serve. */
const ALWAYS_ANSWERED: ReadonlySet<string> = new Set(['ruok', 'envi', 'gtmk', 'stmk', 'isro']);
/** Their answers grow with connections, watches or ephemerals. */
const LONG: ReadonlySet<string> = new Set(['cons', 'crst', 'dump', 'stat', 'wchc', 'wchp']);
const OF_FILES: ReadonlySet<string> = new Set(['conf', 'dirs', 'mntr']);

const isReady = (): boolean => true;

export interface WordsOptions {
  readonly view: ServerView;
  readonly config: ServerConfig;
  /** The port in use: differs from the configured one when that is 0. */
  readonly clientPort: number;
  /** A word could not be answered in full. */
  readonly onFailure: (word: string, error: unknown) => void;
}

export class FourLetterWords {
  private readonly view: ServerView;
  private readonly config: ServerConfig;
  private readonly clientPort: number;
  private readonly onFailure: (word: string, error: unknown) => void;
  private readonly enabled: ReadonlySet<string>;
  private traceMask = TRACE_MASK;

  constructor(options: WordsOptions) {
    this.view = options.view;
    this.config = options.config;
    this.clientPort = options.clientPort;
    this.onFailure = options.onFailure;
    const { fourLetterWordsWhitelist, readOnlyMode } = options.config;
    this.enabled = new Set(['srvr', ...(readOnlyMode ? ['isro'] : []), ...fourLetterWordsWhitelist]);
  }

  /**
   * The answer to `word` (the four bytes as an int32); the connection is closed behind it. `argument` is the int64
   * behind `stmk`, null when it did not come along. Throws nothing, nor does the answer.
   */
  answer(word: number, argument: bigint | null): WordAnswer {
    const name = fourLetterName(word) ?? '';
    const refusal = this.refusalOf(name);
    const steps = refusal === null ? this.stepsOf(name, argument) : said(refusal);
    const asksFiles = refusal === null && OF_FILES.has(name);
    if (asksFiles) this.view.files.ask();
    return new SlicedAnswer(steps, {
      name,
      isLong: refusal === null && LONG.has(name),
      isReady: asksFiles ? this.view.files.answered() : isReady,
      onFailure: this.onFailure,
    });
  }

  /** What is said in place of an answer; null when there is one. */
  private refusalOf(name: string): string | null {
    if (name === '') return '';
    if (!this.enabled.has(name) && !this.enabled.has('*')) {
      return `${name} is not executed because it is not in the whitelist.\n`;
    }
    if (this.view.serving || ALWAYS_ANSWERED.has(name)) return null;
    return name === 'hash' ? NOT_SERVING : `${NOT_SERVING}\n`;
  }

  private *stepsOf(name: string, argument: bigint | null): Steps {
    switch (name) {
      case 'cons':
        for (const connection of this.view.connections()) yield fullLine(connection);
        yield '\n';
        return;
      case 'stat':
        yield `${this.versionBlock()}Clients:\n`;
        for (const connection of this.view.connections()) yield briefLine(connection);
        yield `\n${this.statistics()}`;
        return;
      case 'crst':
        for (const _ of this.view.resetConnectionStats()) yield '';
        yield 'Connection stats reset.\n';
        return;
      case 'dump':
        return yield* dump(this.view);
      case 'wchc':
        return yield* watchesBySession(this.view);
      case 'wchp':
        return yield* watchesByPath(this.view);
      case 'envi':
        yield 'Environment:\n';
        for (const [key, value] of environment()) yield `${key}=${value}\n`;
        return;
      default:
        yield this.textOf(name, argument);
    }
  }

  private textOf(name: string, argument: bigint | null): string {
    switch (name) {
      case 'ruok':
        return 'imok';
      case 'conf':
        return this.conf();
      case 'srst':
        this.view.resetServerStats();
        return 'Server stats reset.\n';
      case 'dirs':
        return this.dirs();
      case 'srvr':
        return `${this.versionBlock()}${this.statistics()}`;
      case 'wchs':
        return this.watchSummary();
      case 'mntr':
        return monitorText(this.view);
      case 'isro':
        if (!this.view.serving) return 'null';
        return this.view.isReadOnly ? 'ro' : 'rw';
      case 'hash':
        return this.view.digests().map(digestLine).join('');
      case 'gtmk':
        return String(this.traceMask);
      case 'stmk':
        return this.setTraceMask(argument);
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
    const files = this.view.files.figures();
    const { ensemble } = this.view;
    const lines = [
      ['clientPort', this.clientPort],
      ['secureClientPort', -1],
      ['dataDir', join(config.dataDir, 'version-2')],
      ['dataDirSize', sizeText(files.dataDirBytes)],
      ['dataLogDir', join(config.dataLogDir, 'version-2')],
      ['dataLogSize', sizeText(files.dataLogDirBytes)],
      ['tickTime', config.tickTimeMs],
      ['maxClientCnxns', config.maxClientCnxns],
      ['minSessionTimeout', config.minSessionTimeoutMs],
      ['maxSessionTimeout', config.maxSessionTimeoutMs],
      ['clientPortListenBacklog', config.clientPortListenBacklog],
      ...(ensemble?.conf() ?? [['serverId', STANDALONE_SERVER_ID]]),
    ]
      .map((pair) => `${pair[0]}=${pair[1]}\n`)
      .join('');
    return ensemble === null ? lines : `${lines}membership: \n${ensemble.membership}`;
  }

  private dirs(): string {
    const files = this.view.files.figures();
    return `datadir_size: ${sizeText(files.dataDirBytes)}\nlogdir_size: ${sizeText(files.dataLogDirBytes)}\n`;
  }

  private versionBlock(): string {
    return `Zookeeper version: ${versionLine()}\n${this.view.isReadOnly ? READ_ONLY : ''}`;
  }

  private statistics(): string {
    const counts = this.view.counts();
    const { latency } = counts;
    return (
      `Latency min/avg/max: ${Math.floor(latency.min)}/${averageText(latency)}/${Math.floor(latency.max)}\n` +
      `Received: ${counts.packetsReceived}\nSent: ${counts.packetsSent}\nConnections: ${counts.connections}\n` +
      `Outstanding: ${counts.outstanding}\nZxid: 0x${zxidHex(counts.lastZxid)}\nMode: ${this.view.mode}\n` +
      `Node count: ${counts.nodes}\n${this.proposalSizes()}`
    );
  }

  private proposalSizes(): string {
    const leading = this.view.ensemble?.leading ?? null;
    if (leading === null) return '';
    const { lastProposalBytes, minProposalBytes, maxProposalBytes } = leading;
    return `Proposal sizes last/min/max: ${lastProposalBytes}/${minProposalBytes}/${maxProposalBytes}\n`;
  }

  private watchSummary(): string {
    const { connections, paths, watches } = this.view.watches();
    return `${connections} connections watching ${paths} paths\nTotal watches:${watches}\n`;
  }
}

function* said(text: string): Steps {
  yield text;
}

function digestLine(at: { readonly zxid: Zxid; readonly digest: bigint }): string {
  return `${zxidHex(at.zxid)}: ${at.digest}\n`;
}

function sizeText(figure: FileFigure): string {
  return figureText(figure);
}
