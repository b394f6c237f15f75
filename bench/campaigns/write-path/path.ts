/**
 * From a load's figures to the stages of one write. The client's mean latency is known, and so is the server's: from the
 * turn in which a write was taken in to its reply. What lies between is put together from the stages' own meters.
 *
 *     client  |------------------------------- latency ----------------------------------|
 *     server        |---------------------- update latency ----------------------|
 *                   | prepare | wait | append | write | fdatasync | wake | commit |
 *                   |-------------- durable wait -------------------------|
 *             |-----|               network and io, to and fro                    |------|
 *
 *     measured        a mean of the server's own meter, over the measured time. Of the log and of the core's preparation a
 *                     mean over batches, because every write waits for the whole of its batch
 *     by difference   the rest of the durable wait: the rest of the turn, what the log still does for the batch before,
 *                     wake-ups. No meter shows it alone
 *     by reads        what a read takes on the same connections beyond the server's part of it
 *     unexplained     the client's latency less all of these. Without reads it is everything outside of the server's
 *                     clock: network, io, and above all waiting in sockets, which no meter sees
 *
 * A figure that the server does not tell is null and said so, and what hangs on it too. Pure. Times in microseconds.
 */

/** Growth of counters over the measured time, by their mntr name without `zk_`. */
export type StageCounters = Readonly<Record<string, number>>;

export type Origin = 'measured' | 'by difference' | 'by reads' | 'unexplained';

export interface PathStage {
  readonly key: StageKey;
  readonly name: string;
  readonly origin: Origin;
  /** Null where it is not measured. */
  readonly micros: number | null;
}

export type StageKey =
  | 'toAndFro'
  | 'prepare'
  | 'wait'
  | 'append'
  | 'write'
  | 'sync'
  | 'commit'
  | 'unexplained';

/** What a stage is busy with per write, whatever batch it is in: the limit of throughput, not a part of latency. */
export interface StageWork {
  readonly name: string;
  readonly microsPerWrite: number | null;
}

export interface WritePath {
  /** Client's mean. */
  readonly clientMicros: number;
  readonly serverMicros: number | null;
  /** In the order of a write's way; their sum is `clientMicros` where all are known. */
  readonly stages: readonly PathStage[];
  readonly work: readonly StageWork[];
  /** Mean sizes of batches; null where not told. */
  readonly batches: { readonly requests: number | null; readonly records: number | null };
}

export interface PathFacts {
  readonly counters: StageCounters;
  /** Mean latency of the writes, and of reads on the same connections; null where those would show nothing. */
  readonly writeMicros: number;
  readonly readMicros: number | null;
}

export function writePath({ counters, writeMicros, readMicros }: PathFacts): WritePath {
  const own = (name: string): number | null => counters[`ringkeeper_${name}`] ?? null;
  const mean = (sumMs: string, count: string): number | null => ratio(own(sumMs), own(count), 1000);
  const server = mean('core_update_latency_ms', 'core_update_latency_count');
  const durable = mean('core_durable_wait_ms', 'core_durable_wait_count');
  const prepare = mean('core_request_ms', 'core_request_batches');
  const append = mean('log_append_ms', 'log_batches');
  const write = mean('log_write_ms', 'log_batches');
  const sync = mean('log_fsync_ms', 'log_batches');
  const readInServer = mean('core_read_latency_ms', 'core_read_latency_count');
  const toAndFro = less(readMicros, readInServer);
  const stages: PathStage[] = [
    { key: 'toAndFro', name: 'network and io, to and fro', origin: 'by reads', micros: toAndFro },
    { key: 'prepare', name: 'core prepares its batch', origin: 'measured', micros: prepare },
    {
      key: 'wait',
      name: 'waits for turn, log, wake-ups',
      origin: 'by difference',
      micros: less(durable, prepare, append, write, sync),
    },
    { key: 'append', name: 'log frames and checksums', origin: 'measured', micros: append },
    { key: 'write', name: 'log writes', origin: 'measured', micros: write },
    { key: 'sync', name: 'fdatasync', origin: 'measured', micros: sync },
    { key: 'commit', name: 'core commits and replies', origin: 'measured', micros: less(server, durable) },
    {
      key: 'unexplained',
      name: toAndFro === null ? 'sockets, network, io: not told apart' : 'unexplained rest',
      origin: 'unexplained',
      micros: less(writeMicros, server, toAndFro ?? 0),
    },
  ];
  return {
    clientMicros: writeMicros,
    serverMicros: server,
    stages,
    work: workOf(counters),
    batches: {
      requests: ratio(own('core_requests'), own('core_request_batches'), 1),
      records: ratio(own('log_records'), own('log_batches'), 1),
    },
  };
}

const CORE_THREAD = /^ringkeeper_thread_(?:io_)?core_busy_ms$/;
const IO_THREADS = /^ringkeeper_thread_io_.*_busy_ms$/;

function workOf(counters: StageCounters): StageWork[] {
  const own = (name: string): number | null => counters[`ringkeeper_${name}`] ?? null;
  const commits = own('core_commits');
  const perWrite = (sumMs: number | null): number | null => ratio(sumMs, commits, 1000);
  const request = own('core_request_ms');
  const commit = own('core_commit_ms');
  const busy = sumOf(counters, (name) => CORE_THREAD.test(name) || IO_THREADS.test(name));
  return [
    { name: 'io, and the event loop around it', microsPerWrite: perWrite(less(busy, request, commit)) },
    { name: 'core: prepare', microsPerWrite: perWrite(request) },
    { name: 'core: commit and reply', microsPerWrite: perWrite(commit) },
    { name: 'log: frame and checksum', microsPerWrite: perWrite(own('log_append_ms')) },
    { name: 'log: write', microsPerWrite: perWrite(own('log_write_ms')) },
    { name: 'log: fdatasync', microsPerWrite: perWrite(own('log_fsync_ms')) },
  ];
}

/** Null when there is none of them. */
function sumOf(counters: StageCounters, wanted: (name: string) => boolean): number | null {
  const found = Object.entries(counters).filter(([name]) => wanted(name));
  return found.length === 0 ? null : found.reduce((sum, [, value]) => sum + value, 0);
}

function ratio(sum: number | null, count: number | null, scale: number): number | null {
  return sum === null || count === null || count <= 0 ? null : (sum * scale) / count;
}

/** Null when any of them is. */
function less(whole: number | null, ...parts: readonly (number | null)[]): number | null {
  let rest = whole;
  for (const part of parts) rest = rest === null || part === null ? null : rest - part;
  return rest;
}
