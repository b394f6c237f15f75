/** The four-letter words of a core: what they see of it, and their answers. Core thread. */
import type { Incarnations } from '../../core/incarnations.ts';
import type { WordAnswer } from '../../core/ports/word-answer.ts';
import type { Log } from '../logging/logging.ts';
import type { CoreMetrics } from '../monitor/core-metrics.ts';
import type { EnsembleView } from '../monitor/ensemble-view.ts';
import { SharedFileFacts } from '../monitor/file-facts.ts';
import { FourLetterWords } from '../words/four-letter-words.ts';
import type { CoreSetup, HostErrands } from './core-setup.ts';
import { CoreView } from './core-view.ts';

export class CoreWords {
  readonly view: CoreView;
  /** Called before each answer: publish what is not read here. */
  onWord: () => void = () => {};
  private readonly metrics: CoreMetrics;
  private readonly setup: CoreSetup;
  private readonly log: Log;
  private readonly clientPort: Int32Array;
  private words: FourLetterWords | null = null;

  constructor(
    incarnations: Incarnations,
    metrics: CoreMetrics,
    setup: CoreSetup,
    errands: HostErrands,
    log: Log,
    startMs: number,
  ) {
    this.setup = setup;
    this.metrics = metrics;
    this.log = log;
    this.clientPort = new Int32Array(setup.clientPort);
    const files = new SharedFileFacts(
      setup.fileFacts,
      () => errands.surveyFiles(),
      () => incarnations.replica.clock.nowMs,
    );
    this.view = new CoreView(incarnations, setup.config, metrics, files, startMs);
  }

  /** This server is one of several. */
  showEnsemble(ensemble: EnsembleView): void {
    this.view.ensemble = ensemble;
    this.metrics.ensemble = ensemble;
  }

  answer(word: number, argument: bigint | null): WordAnswer {
    this.onWord();
    this.words ??= new FourLetterWords({
      view: this.view,
      config: this.setup.config,
      clientPort: Atomics.load(this.clientPort, 0),
      onFailure: (name, error) =>
        this.log.warn(`the word ${name} could not be answered in full`, { reason: String(error) }),
    });
    return this.words.answer(word, argument);
  }
}
