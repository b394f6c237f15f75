/**
 * What the drivers in JavaScript share: plain modules, because one of them runs on an older Node. A driver is a process with
 * one client and one task:
 *
 *     node DRIVER ADDRESS TASK PATH SECONDS WARM_SECONDS  ──▶  one line of JSON
 *
 *     gets     100 getData under way at a time, each followed by another when it is answered
 *     single   one getData at a time
 *     pair     as single, in turn with a raw socket of the same process: where the system has put the process and the server
 *              changes a round trip by a factor of three, and is the same for both so
 *     tree     how long until a cache holds everything below PATH (once, in a fresh process)
 *     lock     acquire and release, nobody else there
 */
import v8 from 'node:v8';

export const WINDOW = 100;

export function taskOfCommandLine() {
  const [, , address, task, path, seconds, warmSeconds] = process.argv;
  return { address, task, path, measureMs: Number(seconds) * 1000, warmMs: Number(warmSeconds) * 1000 };
}

/** Bytes that V8 has handed out since the start; null where this Node does not count them. */
function allocatedBytes() {
  return v8.getHeapStatistics().total_allocated_bytes ?? null;
}

function snapshot(ops) {
  const { user, system } = process.cpuUsage();
  return { ops, ms: performance.now(), cpuMicros: user + system, allocated: allocatedBytes() };
}

function between(from, to, latenciesMs) {
  const sorted = Float64Array.from(latenciesMs).sort();
  const at = (share) => (sorted.length === 0 ? null : sorted[Math.floor(sorted.length * share)] * 1000);
  return {
    ops: to.ops - from.ops,
    seconds: (to.ms - from.ms) / 1000,
    cpuSeconds: (to.cpuMicros - from.cpuMicros) / 1e6,
    p50Micros: at(0.5),
    p99Micros: at(0.99),
    allocatedBytes: from.allocated === null ? null : to.allocated - from.allocated,
  };
}

/** `work` counts what it has done in `counter.ops` and ends soon after `counter.over`. */
async function measured({ warmMs, measureMs }, work) {
  const counter = { ops: 0, over: false, latenciesMs: [] };
  const done = work(counter);
  await new Promise((resolve) => setTimeout(resolve, warmMs));
  counter.latenciesMs = [];
  const from = snapshot(counter.ops);
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  const to = snapshot(counter.ops);
  const { latenciesMs } = counter;
  counter.over = true;
  await done;
  return between(from, to, latenciesMs);
}

/** `issue(done)` starts one request; `done` is called once with an error or nothing. */
export function pipelined(task, issue) {
  return measured(
    task,
    (counter) =>
      new Promise((resolve, reject) => {
        let open = WINDOW;
        const next = (error) => {
          if (error) reject(error);
          counter.ops++;
          if (!counter.over) issue(next);
          else if (--open === 0) resolve();
        };
        for (let i = 0; i < WINDOW; i++) issue(next);
      }),
  );
}

/** For clients with promises: as many loops as requests may be under way. */
export function loops(task, count, once) {
  return measured(task, async (counter) => {
    const loop = async () => {
      while (!counter.over) {
        await once();
        counter.ops++;
      }
    };
    await Promise.all(Array.from({ length: count }, loop));
  });
}

/** One at a time, each with its own time. */
export function oneByOne(task, once) {
  return measured(task, async (counter) => {
    while (!counter.over) {
      const startedMs = performance.now();
      await once();
      counter.latenciesMs.push(performance.now() - startedMs);
      counter.ops++;
    }
  });
}

const BLOCK = 100;

/** Blocks of `once` and of `raw` in turn. */
export async function inTurn(task, once, raw) {
  const rawMs = [];
  const sample = await measured(task, async (counter) => {
    while (!counter.over) {
      // The warming is over when the list was changed for an empty one.
      if (counter.latenciesMs.length === 0) rawMs.length = 0;
      for (const [act, into] of [
        [once, counter.latenciesMs],
        [raw, rawMs],
      ]) {
        for (let i = 0; i < BLOCK; i++) {
          const startedMs = performance.now();
          await act();
          into.push(performance.now() - startedMs);
        }
      }
      counter.ops += BLOCK;
    }
  });
  const sorted = Float64Array.from(rawMs).sort();
  return { ...sample, rawMicros: sorted[Math.floor(sorted.length / 2)] * 1000 };
}

/** `fill` resolves to the number of znodes held. */
export async function filled(fill) {
  const from = snapshot(0);
  const ops = await fill();
  return between(from, snapshot(ops), []);
}

export function report(sample) {
  process.stdout.write(`${JSON.stringify(sample)}\n`);
}
