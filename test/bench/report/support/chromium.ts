/** Where Chromium is, or how to get it. */
import { existsSync } from 'node:fs';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const CHROMIUM = PLACES.find((path) => existsSync(path));

/** For node:test's `skip`: the reason, or false. */
export function needChromium(): string | false {
  return CHROMIUM === undefined ? 'needs chromium: apt-get install chromium' : false;
}

/** No sandbox: tests run as root in containers, and open only our own files. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-sync',
];
