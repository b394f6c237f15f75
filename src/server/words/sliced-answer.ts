/**
 * Steps of text as an answer that the core takes piece by piece. A piece is what some hundred steps say, or some
 * kilobytes: about half a millisecond. Nothing that a step throws gets out: the answer then says what is missing, the
 * operator's log why, and the server goes on. Core thread.
 */
import type { WordAnswer } from '../../core/ports/word-answer.ts';
import type { Steps } from './steps.ts';

const STEPS_PER_PIECE = 512;
const PIECE_CHARACTERS = 16 * 1024;

export interface AnswerOptions {
  readonly name: string;
  readonly isLong: boolean;
  /** The first step may be made. */
  readonly isReady: () => boolean;
  readonly onFailure: (name: string, error: unknown) => void;
}

export class SlicedAnswer implements WordAnswer {
  readonly isLong: boolean;
  private readonly options: AnswerOptions;
  private readonly steps: Steps;
  private isDone = false;

  constructor(steps: Steps, options: AnswerOptions) {
    this.steps = steps;
    this.options = options;
    this.isLong = options.isLong;
  }

  get isReady(): boolean {
    return this.options.isReady();
  }

  next(): Uint8Array | null {
    if (this.isDone) return null;
    let text = '';
    try {
      for (let step = 0; step < STEPS_PER_PIECE && text.length < PIECE_CHARACTERS; step++) {
        const { done, value } = this.steps.next();
        if (done) {
          this.isDone = true;
          break;
        }
        text += value;
      }
    } catch (error) {
      this.isDone = true;
      text += `\n${this.options.name} is not complete: ${messageOf(error)}\n`;
      this.options.onFailure(this.options.name, error);
    }
    return Buffer.from(text, 'utf8');
  }

  abandon(): void {
    this.isDone = true;
    // Nothing is thrown here that next() would not have met: a generator that is not running just ends.
    this.steps.return();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
