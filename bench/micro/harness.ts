/**
 * The frame of the micro-benchmarks: each file here exports one function `(iterations) => results`, which the test
 * command runs tiny (so that they cannot rot) and the command line runs in earnest: `node bench/micro/<name>.ts [iterations]`.
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

export interface MicroResult {
  readonly name: string;
  /** Wall time of one operation, the median of the rounds. */
  readonly ns: number;
  /** CPU time of one operation over all threads of the process, where that says something else than the wall. */
  readonly cpuNs?: number;
}

export type MicroBench = (iterations: number) => MicroResult[] | Promise<MicroResult[]>;

const ROUNDS = 7;

/** Times `body(iterations)`, which does that many operations, after one round of warm-up. */
export function measure(name: string, iterations: number, body: (iterations: number) => void): MicroResult {
  body(iterations);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    body(iterations);
    rounds.push(((performance.now() - startMs) * 1e6) / iterations);
  }
  return { name, ns: median(rounds) };
}

/** The same for operations that span threads or turns; also takes the CPU time of the whole process. */
export async function measureAcrossThreads(
  name: string,
  iterations: number,
  body: (iterations: number) => Promise<void>,
): Promise<MicroResult> {
  await body(Math.ceil(iterations / 10));
  const rounds: number[] = [];
  const cpuRounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const cpuStart = process.cpuUsage();
    const startMs = performance.now();
    await body(iterations);
    rounds.push(((performance.now() - startMs) * 1e6) / iterations);
    const cpu = process.cpuUsage(cpuStart);
    cpuRounds.push(((cpu.user + cpu.system) * 1e3) / iterations);
  }
  return { name, ns: median(rounds), cpuNs: median(cpuRounds) };
}

/** Runs the benchmark and prints its results if `moduleUrl` is the file that node was started with. */
export async function runIfMain(moduleUrl: string, bench: MicroBench, iterations: number): Promise<void> {
  const started = process.argv[1];
  if (started === undefined || pathToFileURL(started).href !== moduleUrl) return;
  for (const result of await bench(Number(process.argv[2] ?? iterations))) {
    const cpu = result.cpuNs === undefined ? '' : `${result.cpuNs.toFixed(1).padStart(10)} ns CPU`;
    console.log(`${result.name.padEnd(48)}${result.ns.toFixed(1).padStart(10)} ns${cpu}`);
  }
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}
