/** How disk faults reach a server: its environment makes Node load `faulty-disk.ts` into every thread of it. */
import { type DiskFault, FAULTS_VARIABLE } from './disk-fault.ts';

const PRELOAD = new URL('./faulty-disk.ts', import.meta.url).href;

/** What a server's environment needs for these faults; nothing for none. */
export function faultEnvironment(faults: readonly DiskFault[]): Record<string, string> {
  if (faults.length === 0) return {};
  const options = `${process.env['NODE_OPTIONS'] ?? ''} --import=${PRELOAD}`;
  return { NODE_OPTIONS: options.trim(), [FAULTS_VARIABLE]: JSON.stringify(faults) };
}
