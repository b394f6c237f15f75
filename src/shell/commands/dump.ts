/**
 * `dump`: a tree as a file that `restore` and `diff` read. A file is written beside its place and put there when it is whole.
 */

import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { access, rename, rm } from 'node:fs/promises';
import type { Zk } from '../../client/index.ts';
import type { Context } from '../command/context.ts';
import { usageError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { CommandSpec } from '../command/spec.ts';
import { hex } from '../command/stat-text.ts';
import { znodes } from '../tree/count.ts';
import { endLine, headerLine, znodeLine } from '../tree/dump-file.ts';
import { readTree } from '../tree/znodes.ts';

export const dumpCommand: CommandSpec = {
  name: 'dump',
  group: 'Trees',
  help: 'Write a tree as JSON lines: data, ACLs, kinds; to stdout or a file',
  positionals: [
    { name: 'path', kind: 'path' },
    { name: 'file', kind: 'file', optional: true },
  ],
  flags: [
    { name: 'no-acl', help: 'without ACLs' },
    { name: 'skip', help: 'pass over what may not be read, and say so' },
    { name: 'force', help: 'replace the file' },
  ],
  run: dump,
};

/** Where the lines go. */
interface Sink {
  line(text: string): Promise<void>;
  finish(): Promise<void>;
  discard(): Promise<void>;
}

async function dump(invocation: Invocation, context: Context): Promise<void> {
  const { connection, out } = context;
  const path = invocation.word(0);
  const file = invocation.words[1];
  const sink = file === undefined ? stdoutSink(context) : await fileSink(file, invocation.has('force'));
  try {
    const told = await writeTree(connection.zk, path, invocation, context, sink);
    await sink.finish();
    if (file !== undefined) await out.result({ path, file, ...told }, textOf(path, file, told));
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

interface Told {
  readonly znodes: number;
  readonly bytes: number;
  readonly skipped: number;
  /** Whether it is of one moment. */
  readonly isOfOneMoment: boolean;
}

function textOf(path: string, file: string, { znodes: count, bytes, skipped, isOfOneMoment }: Told): string {
  const holes = skipped === 0 ? '' : `; ${znodes(skipped)} passed over`;
  const moment = isOfOneMoment ? 'of one moment' : 'while others wrote: values may be of different moments';
  return `${file}: ${znodes(count)} of ${path}, ${bytes.toLocaleString('en-US')} bytes of data, ${moment}${holes}`;
}

async function writeTree(
  zk: Zk,
  path: string,
  invocation: Invocation,
  { out, signal }: Context,
  sink: Sink,
): Promise<Told> {
  const withAcl = !invocation.has('no-acl');
  let count = 0;
  let bytes = 0;
  let skipped = 0;
  const onUnreadable = async (_: string, { message }: Error): Promise<void> => {
    skipped++;
    await out.note(`dump: passed over: ${message}`);
  };
  const firstZxid = hex(await zk.barrier('sync', { signal }));
  const skip = invocation.has('skip') ? { onUnreadable } : {};
  let hasHeader = false;
  for await (const znode of readTree(zk, path, { signal, withAcl, ...skip })) {
    if (!hasHeader) await sink.line(headerLine({ root: path, time: new Date().toISOString(), withAcl }));
    hasHeader = true;
    await sink.line(znodeLine(znode));
    count++;
    bytes += znode.data?.length ?? 0;
  }
  const lastZxid = hex(await zk.barrier('sync', { signal }));
  await sink.line(endLine({ znodes: count, bytes, firstZxid, lastZxid }));
  return { znodes: count, bytes, skipped, isOfOneMoment: firstZxid === lastZxid };
}

function stdoutSink({ out }: Context): Sink {
  return {
    line: (text) => out.text(`${text}\n`),
    finish: () => out.flush(),
    discard: () => out.flush(),
  };
}

async function fileSink(file: string, replaces: boolean): Promise<Sink> {
  if (!replaces && (await exists(file))) throw usageError(`dump: ${file} exists already; -force replaces it`);
  const beside = `${file}.${process.pid}.part`;
  // It may hold secrets.
  const stream: WriteStream = createWriteStream(beside, { mode: 0o600, flags: 'wx' });
  await once(stream, 'open');
  // Told by the write or the end that it concerns.
  stream.on('error', () => undefined);
  const failed = (): void => {
    if (stream.errored !== null) throw stream.errored;
  };
  return {
    async line(text) {
      failed();
      if (!stream.write(`${text}\n`)) await once(stream, 'drain');
    },
    async finish() {
      failed();
      stream.end();
      await once(stream, 'close');
      failed();
      await rename(beside, file);
    },
    async discard() {
      stream.destroy();
      await rm(beside, { force: true });
    },
  };
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
