/** Makes recordings of what test clients do, or of what they might have done, and replays them. */
import { join } from 'node:path';
import type { Address } from '../../../bench/base/address.ts';
import {
  encodeHeader,
  RECORDING_VERSION,
  type RecordingRecord,
} from '../../../bench/replay/recording-format.ts';
import { startRecordingProxy } from '../../../bench/replay/recording-proxy.ts';
import type { RecordingReader } from '../../../bench/replay/recording-reader.ts';
import { createFileSink, RecordingWriter } from '../../../bench/replay/recording-writer.ts';
import { type ReplayOptions, type ReplayOutcome, replayRecording } from '../../../bench/replay/replay.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { RawClient } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';

let fileCount = 0;

export interface RecordOptions {
  readonly keepCredentials?: boolean;
  /** So many connections stay open to the end of the recording. */
  readonly left?: number;
}

/** A recording, in `dir`, of what `work` does through a proxy in front of `upstream`. */
export async function recordWith(
  dir: string,
  upstream: Address,
  work: (port: number) => Promise<void>,
  { keepCredentials = false, left = 0 }: RecordOptions = {},
): Promise<string> {
  const outFile = join(dir, `${++fileCount}.rec`);
  const listen = { host: '127.0.0.1', port: 0 };
  const proxy = await startRecordingProxy({ listen, upstream: [upstream], outFile, keepCredentials });
  try {
    await work(proxy.address.port);
    while (proxy.counts.openConnections > left) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    await proxy.stop();
  }
  return outFile;
}

/** A recording with these records. */
export async function writeRecording(dir: string, records: readonly RecordingRecord[]): Promise<string> {
  const file = join(dir, `${++fileCount}.rec`);
  const quiet = { onRoom: () => {}, onFailure: () => {} };
  const writer = new RecordingWriter(await createFileSink(file), 1024 * 1024, quiet);
  const header = { version: RECORDING_VERSION, credentialsKept: false, startedAtMs: 0, upstreams: ['x:1'] };
  writer.appendRaw(encodeHeader(header));
  for (const record of records) writer.append(record);
  const timeUs = records.at(-1)?.timeUs ?? 0;
  writer.append({ kind: 'end', connection: 0, timeUs, records: records.length });
  await writer.close();
  return file;
}

/** Closed loop: one request at a time. */
export async function reads(client: RawClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await client.request(OpCode.getData, bodies.pathAndBool(`/n${i}`, false));
}

export async function closeSession(client: RawClient): Promise<void> {
  await client.request(OpCode.closeSession);
  await client.connection.serverClose();
}

export function replay(
  file: string,
  target: readonly Address[],
  options: Partial<ReplayOptions> = {},
): Promise<ReplayOutcome> {
  return replayRecording(file, { target, speed: 'max', ...options });
}

/** What became of all requests. */
export function counts({ tally }: ReplayOutcome): Record<string, number> {
  const names = [
    'recorded',
    'sent',
    'replies',
    'differing',
    'lost',
    'abandoned',
    'unanswered',
    'skipped',
    'unsent',
  ] as const;
  return Object.fromEntries(names.map((name) => [name, tally.sum((op) => op[name])]));
}

/** All records of a file, in its order. */
export async function* readRecords(reader: RecordingReader): AsyncGenerator<RecordingRecord> {
  do {
    for (let record = reader.next(); record !== null; record = reader.next()) yield record;
  } while (await reader.fill());
}
