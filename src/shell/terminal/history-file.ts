/**
 * The lines of earlier terminals: one file per user, newest last, readable by nobody else. Each line is appended when it is
 * entered, so that several shells share it; what is too much is cut off at the start. Commands with secrets never come here.
 * A file that cannot be read or written is told once and done without.
 */
import { appendFile, chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Lines kept; at twice as many the file is cut. */
export const HISTORY_MAX = 1_000;
/** A longer line is somebody's data. */
const LINE_LENGTH_MAX = 4_096;

export class HistoryFile {
  private readonly file: string | null;
  private readonly complain: (message: string) => void;
  private isBroken = false;
  private last = '';
  /** Appends in order. */
  private pending: Promise<void> = Promise.resolve();

  /** `file` null: nothing is kept. */
  constructor(file: string | null, complain: (message: string) => void) {
    this.file = file;
    this.complain = complain;
  }

  /** Oldest first. */
  async load(): Promise<string[]> {
    const { file } = this;
    if (file === null) return [];
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const all = (await readFile(file, 'utf8').catch(none)).split('\n').filter((line) => line !== '');
      const lines = all.slice(-HISTORY_MAX);
      if (all.length > 2 * HISTORY_MAX) await replace(file, lines);
      this.last = lines.at(-1) ?? '';
      return lines;
    } catch (error) {
      this.giveUp(error);
      return [];
    }
  }

  add(line: string): void {
    const { file } = this;
    const isWanted = line.trim() !== '' && line !== this.last && line.length <= LINE_LENGTH_MAX;
    if (file === null || this.isBroken || !isWanted) return;
    this.last = line;
    this.pending = this.pending
      .then(() => appendFile(file, `${line}\n`, { mode: 0o600 }))
      .catch((error: unknown) => this.giveUp(error));
  }

  /** Resolves when everything is in the file. */
  settled(): Promise<void> {
    return this.pending;
  }

  private giveUp(error: unknown): void {
    if (this.isBroken) return;
    this.isBroken = true;
    this.complain(`the history is not kept: ${(error as Error).message}`);
  }
}

function none(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

async function replace(file: string, lines: readonly string[]): Promise<void> {
  const beside = `${file}.${process.pid}.part`;
  await writeFile(beside, `${lines.join('\n')}\n`, { mode: 0o600 });
  await chmod(beside, 0o600);
  await rename(beside, file);
}
