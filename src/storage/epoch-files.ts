/**
 * The two epochs that a member of an ensemble keeps: decimal text without a newline, beside the snapshots, as Apache writes
 * them. Log thread, on the core's command; start-up reads.
 *
 *     acceptedEpoch   the newest epoch whose leader it has promised to follow
 *     currentEpoch    the newest epoch whose history it has taken over
 */
import { CorruptionFailure } from '../base/failure.ts';
import type { Disk } from './disk.ts';
import { saveWhole } from './whole-file.ts';

export const EpochKind = { accepted: 'acceptedEpoch', current: 'currentEpoch' } as const;
export type EpochKind = (typeof EpochKind)[keyof typeof EpochKind];

/** Far more than a number takes. */
const FILE_BYTES_MAX = 64;
const DECIMAL = /^\d{1,10}$/;

/** Null when there is none. @throws CorruptionFailure */
export function readEpoch(disk: Disk, directory: string, kind: EpochKind): number | null {
  const path = `${directory}/${kind}`;
  if (disk.stat(path) === null) return null;
  const bytes = new Uint8Array(FILE_BYTES_MAX);
  const file = disk.open(path, 'read');
  try {
    const text = new TextDecoder().decode(bytes.subarray(0, file.read(bytes, 0, FILE_BYTES_MAX, 0))).trim();
    if (DECIMAL.test(text)) return Number(text);
    throw new CorruptionFailure(
      `${path} holds no epoch but ${JSON.stringify(text)}; restore it from a copy, or remove the data ` +
        'directory of this server and let it take everything from the ensemble',
    );
  } finally {
    file.close();
  }
}

/** Durable on return. */
export function saveEpoch(disk: Disk, directory: string, kind: EpochKind, epoch: number): void {
  saveWhole(disk, directory, kind, String(epoch));
}
