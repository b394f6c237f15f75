/** Files that a configuration leads to: `myid`, the dynamic file. A port, because a simulated server has none of this machine's. */
import { readFileSync } from 'node:fs';
import { ConfigFailure } from '../../base/failure.ts';

export interface ConfigFiles {
  /** Null: there is none. @throws ConfigFailure when it cannot be read */
  read(path: string): string | null;
}

/** Nobody writes more into them. */
const TEXT_MAX = 1024 * 1024;

export const nodeConfigFiles: ConfigFiles = {
  read(path) {
    try {
      const text = readFileSync(path, 'latin1');
      if (text.length <= TEXT_MAX) return text;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return null;
      throw new ConfigFailure(`cannot read ${path}: ${code === 'EACCES' ? 'permission denied' : message}`);
    }
    throw new ConfigFailure(
      `cannot read ${path}: it is larger than 1 MiB, and no file of a configuration is`,
    );
  },
};
