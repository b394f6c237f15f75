/**
 * What the four-letter words say about files: sizes of the data directories, open descriptors. To look these up takes
 * system calls whose number and time nobody bounds (a directory of thousands of files, 60,000 descriptors, a disk that
 * hangs), so the thread of the words never does: it asks, serves others, and reads the figures once they are there.
 *
 *     core                                          main thread
 *     ask ──▶ asked + 1, survey wanted ───────────▶ FileSurvey: asynchronous listing
 *     isAnswered: answered ≥ mine, or waited long ◀─ figures, answered; the core's bell
 *
 * Shared memory: int32 asked, answered; then float64 figures. A figure that could not be had is the negative number of
 * the system's error.
 */
import { getSystemErrorMap } from 'node:util';

/** A number, or less than 0: why there is none. */
export type FileFigure = number;

export interface FileFigures {
  readonly dataDirBytes: FileFigure;
  readonly dataLogDirBytes: FileFigure;
  readonly openFiles: FileFigure;
  readonly openFilesMax: FileFigure;
}

/** As `ServerView` shows it to the words. */
export interface FileFacts {
  /** Wants figures that are newer than this moment. */
  ask(): void;
  /** A question for later: whether what was asked last has been answered, or will not be in time. */
  answered(): () => boolean;
  figures(): FileFigures;
}

const ASKED = 0;
const ANSWERED = 1;
const HEAD_BYTES = 16;
const NAMES = ['dataDirBytes', 'dataLogDirBytes', 'openFiles', 'openFilesMax'] as const;

/** A word goes on without figures that do not come. */
export const FILE_WAIT_MS = 2000;
/** Of a figure that did not come in time, or not yet: no error has this number. */
const NOT_IN_TIME = -100_000;

export function createFileFacts(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(HEAD_BYTES + NAMES.length * 8);
  new Float64Array(buffer, HEAD_BYTES).fill(NOT_IN_TIME);
  return buffer;
}

/** On the thread of the words. */
export class SharedFileFacts implements FileFacts {
  private readonly words: Int32Array;
  private readonly values: Float64Array;
  private readonly survey: () => void;
  private readonly nowMs: () => number;

  /** `survey`: tells the other side that somebody has asked. `nowMs`: of the turn. */
  constructor(buffer: SharedArrayBuffer, survey: () => void, nowMs: () => number) {
    this.words = new Int32Array(buffer, 0, 2);
    this.values = new Float64Array(buffer, HEAD_BYTES);
    this.survey = survey;
    this.nowMs = nowMs;
  }

  ask(): void {
    Atomics.add(this.words, ASKED, 1);
    this.survey();
  }

  answered(): () => boolean {
    const mine = Atomics.load(this.words, ASKED);
    const askedMs = this.nowMs();
    // By subtraction: the numbers wrap around.
    return () =>
      ((Atomics.load(this.words, ANSWERED) - mine) | 0) >= 0 || this.nowMs() - askedMs >= FILE_WAIT_MS;
  }

  figures(): FileFigures {
    const [dataDirBytes, dataLogDirBytes, openFiles, openFilesMax] = this.values;
    return {
      dataDirBytes: dataDirBytes!,
      dataLogDirBytes: dataLogDirBytes!,
      openFiles: openFiles!,
      openFilesMax: openFilesMax!,
    };
  }
}

/** On the main thread: one survey at a time, and a further one for whoever has asked meanwhile. */
export class FileSurvey {
  private readonly words: Int32Array;
  private readonly values: Float64Array;
  private readonly look: () => Promise<FileFigures>;
  private readonly onAnswered: () => void;
  private isRunning = false;

  /** `look` never rejects. */
  constructor(buffer: SharedArrayBuffer, look: () => Promise<FileFigures>, onAnswered: () => void) {
    this.words = new Int32Array(buffer, 0, 2);
    this.values = new Float64Array(buffer, HEAD_BYTES);
    this.look = look;
    this.onAnswered = onAnswered;
  }

  /** Somebody has asked. */
  run(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    const asked = Atomics.load(this.words, ASKED);
    this.look().then((figures) => {
      this.isRunning = false;
      NAMES.forEach((name, at) => {
        this.values[at] = figures[name];
      });
      Atomics.store(this.words, ANSWERED, asked);
      this.onAnswered();
      if (Atomics.load(this.words, ASKED) !== asked) this.run();
    });
  }
}

/** The number, or `unknown` and why. */
export function figureText(figure: FileFigure): string {
  if (figure >= 0) return String(figure);
  if (figure === NOT_IN_TIME) return 'unknown (the file system did not answer in time)';
  return `unknown (${getSystemErrorMap().get(figure)?.[0] ?? `error ${figure}`})`;
}
