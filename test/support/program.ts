/** The program that tests start as a process: that of this checkout, or what `npm test` has made of it (`bundle.ts`). */
import { join } from 'node:path';

/** Names the launcher in the environment. */
export const TEST_LAUNCHER = 'RINGKEEPER_TEST_LAUNCHER';

/** For what is told by the place of sources. */
export const CHECKOUT_LAUNCHER = join(import.meta.dirname, '..', '..', 'src', 'bin', 'ringkeeper.js');

export const LAUNCHER = process.env[TEST_LAUNCHER] ?? CHECKOUT_LAUNCHER;
