/**
 * What V8 is not to do in any process of ours: src/decisions/32. The launcher says it for the server
 * and the commands (in plain JavaScript, so once more); campaigns and tests, which start without it, say it from here.
 */
import { setFlagsFromString } from 'node:v8';

export const V8_FLAGS = ['--no-maglev-escape-analysis'];

/** For this process, from now on; best before anything else runs. */
export function setV8Flags(): void {
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
}
