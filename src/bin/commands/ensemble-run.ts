/**
 * The life of `ringkeeper ensemble`. Log lines of the servers and what happens to them go to stderr; stdout carries one
 * line when all serve, for people and scripts:
 *
 *     ready 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183
 *
 *     start --all serve--> ready line --+-- SIGINT, SIGTERM, SIGHUP --> all stopped in order --again--> all killed; 0
 *       '--one ends, or hangs--> 2      '-- a server ends --> named; the others go on; 1 when none is left
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { EnsembleMember } from '../../../bench/target/ensemble-member.ts';
import type { ServerKind } from '../../../bench/target/ensemble-plan.ts';
import { type LocalEnsemble, makeLocalEnsemble } from '../../../bench/target/local-ensemble.ts';
import { type LineOutput, STDERR_FD, STDOUT_FD, standardOutput } from '../../server/logging/line-output.ts';
import { EnsembleLines } from './ensemble-lines.ts';
import type { EnsembleWish } from './ensemble-wish.ts';
import { STOP_SIGNALS } from './server-process.ts';

const LAST_LINES_MS = 500;

/** Resolves with the exit status when every server has ended. @throws ConfigFailure when they do not come up */
export async function runEnsemble(wish: EnsembleWish): Promise<number> {
  const directory = directoryOf(wish);
  const run = new EnsembleRun(wish);
  try {
    return await run.run(directory.path);
  } finally {
    directory.remove();
  }
}

class EnsembleRun {
  private readonly wish: EnsembleWish;
  private readonly stderr: LineOutput = standardOutput(STDERR_FD);
  private readonly lines: EnsembleLines;
  private readonly stopping = new AbortController();
  private readonly lastEnded = Promise.withResolvers<void>();
  private ensemble!: LocalEnsemble;
  private readonly onSignal = (signal: NodeJS.Signals): void => this.onStopSignal(signal);

  constructor(wish: EnsembleWish) {
    this.wish = wish;
    this.lines = new EnsembleLines(wish.size + wish.observers, hasColours(), wish.logLevel !== null);
  }

  async run(directory: string): Promise<number> {
    const { wish } = this;
    this.ensemble = await makeLocalEnsemble({
      wantedBy: `--kind ${wish.kind}`,
      ...kindsOf(wish),
      clientPort: wish.clientPort,
      directory,
      settings: settingsOf(wish),
      apacheLogLevel: apacheLevelOf(wish.logLevel),
      onLine: ({ plan }, line) => this.say(this.lines.of(plan.sid, line)),
      onEnd: (member, why) => this.onEnd(member, why),
    });
    for (const signal of STOP_SIGNALS) process.on(signal, this.onSignal);
    try {
      this.ensemble.start();
      await this.awaitReady(directory);
      await Promise.race([this.stopped, this.lastEnded.promise]);
      return this.stopping.signal.aborted ? 0 : 1;
    } finally {
      await this.ensemble.stop();
      this.stderr.close(LAST_LINES_MS);
    }
  }

  private async awaitReady(directory: string): Promise<void> {
    const { ensemble } = this;
    try {
      const modes = await ensemble.awaitServing(this.stopping.signal);
      for (const [at, member] of ensemble.members.entries()) {
        this.note(
          `${member.name}: ${modes[at] ?? 'serves no clients'}, pid ${member.pid}, ${ensemble.textOf(member)}`,
        );
      }
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      throw error;
    }
    this.note(`data in ${directory}${this.wish.dataDir === null ? ', removed at the end' : ''}`);
    this.note(`try: ringkeeper shell ${ensemble.connectString}; Ctrl-C stops all`);
    standardOutput(STDOUT_FD).write(`ready ${ensemble.connectString}\n`);
  }

  private get stopped(): Promise<void> {
    const { signal } = this.stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolved) => signal.addEventListener('abort', () => resolved(), { once: true }));
  }

  private onStopSignal(signal: NodeJS.Signals): void {
    if (this.stopping.signal.aborted) {
      this.note(`${signal} again: killing what is left`);
      void this.ensemble.kill();
      return;
    }
    this.note(`${signal}: stopping ${this.ensemble.members.length} servers`);
    this.stopping.abort();
  }

  private onEnd(member: EnsembleMember, why: string): void {
    const { members, voters, hasMajority } = this.ensemble;
    this.note(why);
    const running = members.filter(({ isRunning }) => isRunning).length;
    if (running === 0) this.lastEnded.resolve();
    else if (!hasMajority && !member.plan.isObserver) {
      const left = voters.filter(({ isRunning }) => isRunning).length;
      this.note(`${left} of ${voters.length} voters are left: no majority, so nobody is served`);
    }
  }

  private note(text: string): void {
    this.say(`ensemble: ${text}\n`);
  }

  private say(text: string | null): void {
    if (text !== null) this.stderr.write(text);
  }
}

/** Every second one is Apache's in a mixed one: the majority is ours, and a leader of either kind may be elected. */
function kindsOf({ kind, size, observers }: EnsembleWish): Record<'voters' | 'observers', ServerKind[]> {
  const all = Array.from({ length: size + observers }, (_, at): ServerKind => {
    if (kind !== 'mixed') return kind;
    return at % 2 === 0 ? 'ringkeeper' : 'apache';
  });
  return { voters: all.slice(0, size), observers: all.slice(size) };
}

function settingsOf({ settings, logLevel }: EnsembleWish): Readonly<Record<string, string>> {
  return logLevel === null ? settings : { 'ringkeeper.logLevel': logLevel, ...settings };
}

/** By itself Apache's is told to warn only: its start alone has some two hundred lines. */
function apacheLevelOf(level: string | null): string {
  if (level === null) return 'warn';
  return level === 'silent' ? 'off' : level;
}

function hasColours(): boolean {
  return process.stderr.isTTY === true && process.stderr.hasColors();
}

function directoryOf({ dataDir }: EnsembleWish): { readonly path: string; remove(): void } {
  if (dataDir !== null) return { path: resolve(dataDir), remove: () => {} };
  const path = mkdtempSync(join(tmpdir(), 'ringkeeper-ensemble-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', remove);
  return { path, remove };
}
