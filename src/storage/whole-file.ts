/** Small files that are whole and durable or still the old ones: written under `<name>.tmp`, synced, renamed, directory synced. */
import { encodeUtf8 } from '../wire/utf8.ts';
import type { Disk } from './disk.ts';

/** Durable on return. A text is written as UTF-8. */
export function saveWhole(disk: Disk, directory: string, name: string, content: string | Uint8Array): void {
  const path = `${directory}/${name}`;
  const temporary = `${path}.tmp`;
  if (disk.stat(temporary) !== null) disk.remove(temporary);
  const bytes = typeof content === 'string' ? encodeUtf8(content) : content;
  const file = disk.create(temporary);
  try {
    file.write(bytes, 0, bytes.length, 0);
    file.syncData();
  } finally {
    file.close();
  }
  disk.rename(temporary, path);
  disk.syncDirectory(directory);
}

/** Null: there is no such file. */
export function readWhole(disk: Disk, path: string): Uint8Array | null {
  const entry = disk.stat(path);
  if (entry === null) return null;
  const bytes = new Uint8Array(entry.bytes);
  const file = disk.open(path, 'read');
  try {
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0));
  } finally {
    file.close();
  }
}
