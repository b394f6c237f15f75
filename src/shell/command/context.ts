/**
 * What a command sees of the shell around it: the connection, the output, the watches that are set, somebody to ask.
 * Interfaces only, so that commands know neither terminal nor batch.
 */
import type { Credential, Zk } from '../../client/index.ts';
import type { Output } from './output.ts';
import type { WatchBook } from './watch-book.ts';

export interface ConnectionPort {
  /** @throws ShellError when it was closed. */
  readonly zk: Zk;
  /** The connect string in use. */
  readonly servers: string;
  /** Leaves the present connection for another one, with an identity of its own. */
  connect(servers: string, signal: AbortSignal): Promise<void>;
  /** Another cluster, for the time of one command; the caller closes it. */
  openOther(servers: string, withIdentities: boolean, signal: AbortSignal): Promise<Zk>;
  addAuth(credential: Credential): Promise<void>;
  close(): Promise<void>;
}

export interface HistoryPort {
  /** Number of the command that runs. */
  readonly present: number;
  /** The command of that number, or null. */
  line(number: number): string | null;
}

export interface Context {
  readonly out: Output;
  readonly connection: ConnectionPort;
  readonly watches: WatchBook;
  readonly history: HistoryPort;
  readonly version: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether every question is answered with yes. */
  readonly yes: boolean;
  /** null: there is nobody to ask. */
  ask(question: string): Promise<string> | null;
  /** Runs another line in this one's place. */
  execute(line: string): Promise<void>;
  /** Ends the shell behind this command. */
  quit(): void;
}
