/**
 * One process to one sample; and the order: each task in turn, in it all clients, every second round the other way round. A
 * process that ends badly or takes too long is told with what it wrote last, and the campaign ends: a missing sample would
 * flatter somebody.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type RoundSample, type Sample, TASKS, type Task } from './client-json.ts';
import type { Contender } from './clients.ts';

export interface RoundsOptions {
  readonly address: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  /** Znodes below the path of the task `tree`, itself included. */
  readonly nodes: number;
  readonly abort: AbortSignal;
  /** Where each task works. */
  readonly paths: Readonly<Record<Task, string>>;
  readonly onSample: (sample: RoundSample) => void;
}

/** Beyond the time that a task is to take; a cache of a slow client takes its time. */
const PATIENCE_MS = 180_000;
/** Of what a process says beside its result. */
const WORDS_MAX = 2_000;

/** What was measured until it was aborted. */
export async function runRounds(
  contenders: readonly Contender[],
  options: RoundsOptions,
): Promise<RoundSample[]> {
  const samples: RoundSample[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const task of TASKS) {
      const all = contenders.filter(({ tasks }) => tasks.includes(task));
      for (const contender of round % 2 === 0 ? all.toReversed() : all) {
        if (options.abort.aborted) return samples;
        const sample = await sampleOf(contender, task, options);
        if (sample === null) return samples;
        const one = { round, client: contender.name, task, ...sample };
        samples.push(one);
        options.onSample(one);
      }
    }
  }
  return samples;
}

/** Null when it was aborted. */
async function sampleOf(contender: Contender, task: Task, options: RoundsOptions): Promise<Sample | null> {
  const { address, seconds, warmSeconds, paths, abort } = options;
  // Each client has a lock of its own: they do not know each other's names.
  const path = task === 'lock' ? `${paths.lock}-${contender.name}` : paths[task];
  const args = [...contender.args, address, task, path, String(seconds), String(warmSeconds)];
  const env = { ...process.env, ...contender.env };
  const child = spawn(contender.command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), (seconds + warmSeconds) * 1000 + PATIENCE_MS);
  const stop = (): void => void child.kill('SIGKILL');
  abort.addEventListener('abort', stop, { once: true });
  const ended = once(child, 'close');
  let words = '';
  child.stderr.on('data', (bytes: Buffer) => {
    words = (words + bytes.toString()).slice(-WORDS_MAX);
  });
  let sample: Sample | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) sample = JSON.parse(line) as Sample;
  }
  await ended;
  clearTimeout(late);
  abort.removeEventListener('abort', stop);
  if (abort.aborted) return null;
  if (sample === null || sample.ops === 0)
    throw new Error(`${contender.name} measured nothing for "${task}"; it said:\n${words.trim()}`);
  // Half a tree would be filled in half the time.
  if (task === 'tree' && sample.ops !== options.nodes)
    throw new Error(`the cache of ${contender.name} held ${sample.ops} of ${options.nodes} znodes`);
  return sample;
}
