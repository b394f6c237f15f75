/**
 * Looks the figures of `file-facts.ts` up, without blocking the thread that asks. Each that cannot be had is the
 * number of its error; the others are not touched by that.
 */

import { opendir, readdir, readFile, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { FileFigure, FileFigures } from './file-facts.ts';

export async function surveyFiles(dataDir: string, dataLogDir: string): Promise<FileFigures> {
  const [dataDirBytes, dataLogDirBytes, openFiles, openFilesMax] = await Promise.all([
    figure(() => directoryBytes(join(dataDir, 'version-2'))),
    figure(() => directoryBytes(join(dataLogDir, 'version-2'))),
    figure(countOpenFiles),
    figure(readOpenFilesMax),
  ]);
  return { dataDirBytes, dataLogDirBytes, openFiles, openFilesMax };
}

async function figure(look: () => Promise<number>): Promise<FileFigure> {
  try {
    return await look();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    return errno !== undefined && errno < 0 ? errno : -constants.errno.EIO;
  }
}

async function directoryBytes(directory: string): Promise<number> {
  let total = 0;
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    total += entry.isDirectory() ? await directoryBytes(path) : await fileBytes(path);
  }
  return total;
}

/** 0 of a file that has been removed in between. */
async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** Newer kernels tell it as the size of the directory; a listing of 60,000 takes tens of milliseconds. */
async function countOpenFiles(): Promise<number> {
  const { size } = await stat('/proc/self/fd');
  return size > 0 ? size : (await readdir('/proc/self/fd')).length;
}

async function readOpenFilesMax(): Promise<number> {
  const line = /^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'latin1'));
  return line === null ? -constants.errno.ENOENT : Number(line[1]);
}
