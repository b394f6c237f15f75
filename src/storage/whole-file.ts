/** Small files that are whole and durable or still the old ones: written under `<name>.tmp`, synced, renamed, directory synced. */
import { encodeUtf8 } from '../wire/utf8.ts';
import type { Disk } from './disk.ts';

/** Durable on return. */
export function saveWhole(disk: Disk, directory: string, name: string, text: string): void {
  const path = `${directory}/${name}`;
  const temporary = `${path}.tmp`;
  if (disk.stat(temporary) !== null) disk.remove(temporary);
  const bytes = encodeUtf8(text);
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
