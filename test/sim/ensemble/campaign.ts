/**
 * Very many seeds, by several processes, which may be stopped and gone on with: what is done stands in a file, one line for each
 * chunk of seeds.
 *
 *     {"commit":"ab12cd3","variant":"intact"}                     whose results these are; another's file is refused
 *     {"from":1,"count":100,"tally":{...}}
 *
 *     campaign ──{from, count}──▶ worker (main.ts --worker) ──EnsembleTally──▶ campaign ──▶ file
 */
import { type ChildProcess, fork } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { GC_FLAGS } from '../../support/v8-flags.ts';
import { EnsembleSummary, type EnsembleTally } from './ensemble-summary.ts';
import type { EnsembleVariant } from './ensemble-variants.ts';

export interface Chunk {
  readonly from: number;
  readonly count: number;
}

export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  /** Seeds that a worker runs before it says what they came to. */
  readonly chunk: number;
  readonly variant: EnsembleVariant;
  /** Null: nothing is kept. */
  readonly file: string | null;
  /** Of the code that runs. */
  readonly commit: string;
  readonly onChunk: (summary: EnsembleSummary) => void;
}

const WORKER = new URL('main.ts', import.meta.url);

/** @throws Error when the file is of something else, or a worker ends by itself */
export async function runCampaign(options: CampaignOptions): Promise<EnsembleSummary> {
  const { from, seeds, variant, file, chunk: size } = options;
  const summary = new EnsembleSummary(variant);
  const done = file === null ? new Map<number, EnsembleTally>() : readLedger(file, options);
  const waiting: Chunk[] = [];
  for (let at = from; at < from + seeds; at += size) {
    const tally = done.get(at);
    if (tally === undefined) waiting.push({ from: at, count: Math.min(size, from + seeds - at) });
    else summary.merge(tally);
  }
  const workers = Array.from({ length: Math.min(options.workers, waiting.length) }, () =>
    fork(WORKER, ['--worker', '--variant', variant.name], { execArgv: [...process.execArgv, ...GC_FLAGS] }),
  );
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
          const tally = await ask(worker, chunk);
          if (file !== null) appendFileSync(file, `${JSON.stringify({ ...chunk, tally })}\n`);
          summary.merge(tally);
          options.onChunk(summary);
        }
      }),
    );
  } finally {
    for (const worker of workers) worker.kill();
  }
  return summary;
}

function ask(worker: ChildProcess, chunk: Chunk): Promise<EnsembleTally> {
  return new Promise((resolve, reject) => {
    const onExit = (): void =>
      reject(new Error(`a worker ended within seeds ${chunk.from} to ${chunk.from + chunk.count - 1}`));
    worker.once('exit', onExit);
    worker.once('message', (tally: EnsembleTally) => {
      worker.off('exit', onExit);
      resolve(tally);
    });
    worker.send(chunk);
  });
}

/** Chunks that are done, by their first seed; another size of chunks begins anew. A line that was being written when the campaign ended is taken away. */
function readLedger(
  file: string,
  { commit, variant: { name: variant } }: CampaignOptions,
): Map<number, EnsembleTally> {
  if (!existsSync(file)) appendFileSync(file, `${JSON.stringify({ commit, variant })}\n`);
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole !== text) writeFileSync(file, whole);
  const [head, ...lines] = whole.split('\n').slice(0, -1);
  const known = JSON.parse(head ?? '{}') as { commit?: string; variant?: string };
  if (known.commit !== commit || known.variant !== variant)
    throw new Error(
      `${file} is of commit ${known.commit}, ${known.variant}; this is ${commit}, ${variant}: another file`,
    );
  return new Map(
    lines.map((line) => {
      const { from, tally } = JSON.parse(line) as { from: number; tally: EnsembleTally };
      return [from, tally];
    }),
  );
}
