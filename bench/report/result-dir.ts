/**
 * Where results go, and how: all files of a result are written into its new directory, the JSON document that makes
 * it a result last, under another name until it is whole. What has no `run.json` (`compare.json`, `sweep.json`) is no
 * result to any reader. When a file cannot be written the directory is taken away again and one line says what to do.
 *
 *     mkdir -> summary.md, series.csv, ... -> run.json.part -> sync -> rename to run.json
 *                        | a failure: the files are removed, SaveFailure
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigFailure, Failure } from '../../src/base/failure.ts';

/** A result with all its files and the interval log of a run of some minutes. */
const FREE_BYTES_MIN = 32 * 1024 * 1024;
const NUMBER_MAX = 1000;

/** A result could not be written. The figures may be on the terminal all the same. */
export class SaveFailure extends Failure {
  override readonly name = 'SaveFailure';
  readonly code = 'RK_BENCH_SAVE';
  readonly exitStatus = 1;
}

/** A file of a result: its text, or its pieces in order where the whole is too large to hold. */
export interface ResultFile {
  readonly name: string;
  readonly content: string | Iterable<string>;
}

/** What of the file system a result needs; a test puts a full disk in its place. */
export interface FileSystem {
  /** Also makes its parents; true when it was not there before. */
  makeDir(dir: string): boolean;
  /** Written and synced when it returns. */
  write(path: string, content: string | Iterable<string>): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

export const diskFiles: FileSystem = {
  makeDir: makeDirs,
  write: writeSynced,
  rename: renameSync,
  remove: (path) => rmSync(path, { recursive: true, force: true }),
};

/**
 * True when it was not there before. Step by step: Node's own recursive form never returns where the file system takes
 * no directories at all, as below /proc.
 */
function makeDirs(dir: string): boolean {
  if (existsSync(dir)) return false;
  const parent = dirname(resolve(dir));
  if (parent !== dir) makeDirs(parent);
  mkdirSync(dir);
  return true;
}

/** Before the run, so that a wrong `--out` costs no measurement. @throws ConfigFailure */
export function prepareOut(dir: string): void {
  try {
    makeDirs(dir);
    if (!statSync(dir).isDirectory()) throw new Error('not a directory');
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ConfigFailure(
      `--out: ${dir} - results cannot be written there: ${reasonOf(error)}; name a directory that you may write`,
    );
  }
  const { bavail, bsize } = statfsSync(dir);
  if (bavail * bsize < FREE_BYTES_MIN) {
    const free = Math.floor((bavail * bsize) / 1024 / 1024);
    throw new ConfigFailure(
      `--out: ${dir} - only ${free} MiB are free there, and a result may need ${FREE_BYTES_MIN / 1024 / 1024} MiB; ` +
        'free some space or name another directory',
    );
  }
}

/**
 * Makes `parent/name`, or `name-2` and so on where a result of that name is there already. Returns the path.
 * @throws SaveFailure
 */
export function createResultDir(parent: string, name: string, files: FileSystem = diskFiles): string {
  for (let number = 1; number < NUMBER_MAX; number++) {
    const dir = join(parent, number === 1 ? name : `${name}-${number}`);
    try {
      if (files.makeDir(dir)) return dir;
    } catch (error) {
      throw saveFailure(dir, error);
    }
  }
  throw new SaveFailure(
    `the result cannot be saved: ${NUMBER_MAX} directories are named ${join(parent, name)}`,
  );
}

/**
 * Writes the files of a result, `document` last. On failure what was written is removed again: all of `dir` when
 * `own`, else the files alone. @throws SaveFailure
 */
export function writeResult(
  dir: string,
  others: readonly ResultFile[],
  document: ResultFile,
  { own, files = diskFiles }: { readonly own: boolean; readonly files?: FileSystem },
): void {
  const begun: string[] = [];
  const write = ({ content }: ResultFile, path: string): void => {
    begun.push(path);
    files.write(path, content);
  };
  try {
    for (const file of others) write(file, join(dir, file.name));
    const part = join(dir, `${document.name}.part`);
    write(document, part);
    files.rename(part, join(dir, document.name));
  } catch (error) {
    for (const path of own ? [dir] : begun) files.remove(path);
    throw saveFailure(dir, error);
  }
}

/** Writes single files anew, each under another name until it is whole. @throws SaveFailure */
export function replaceFiles(
  dir: string,
  replaced: readonly ResultFile[],
  files: FileSystem = diskFiles,
): string[] {
  return replaced.map(({ name, content }) => {
    const path = join(dir, name);
    const part = `${path}.part`;
    try {
      files.write(part, content);
      files.rename(part, path);
    } catch (error) {
      files.remove(part);
      throw saveFailure(path, error);
    }
    return path;
  });
}

/** One line: what, where, why, and what to do about it. */
function saveFailure(path: string, error: unknown): SaveFailure {
  const code = (error as NodeJS.ErrnoException).code;
  const advice =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? `free some space in ${dirname(path)} or choose another place with --out`
      : 'choose another place with --out';
  return new SaveFailure(`the result could not be saved in ${path}: ${reasonOf(error)}; ${advice}`);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return 'no space left on the device';
  if (code === 'EDQUOT') return 'the disk quota is used up';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'not a directory';
  return message;
}

/** Some file systems say only at the sync that they are full. */
function writeSynced(path: string, content: string | Iterable<string>): void {
  const file = openSync(path, 'w');
  try {
    for (const piece of typeof content === 'string' ? [content] : content)
      writeFully(file, Buffer.from(piece));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A write near the end of the disk may be short; the next one says why. */
function writeFully(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
