/** Lines of members on free ports of the loopback. */
import { freePorts } from '../../support/free-ports.ts';

/** `host:quorum port:election port` by sid, of `count` servers from 1 on. */
export async function serverLines(count: number): Promise<Record<number, string>> {
  const ports = await freePorts(2 * count);
  const line = (i: number): string => `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`;
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [i + 1, line(i)]));
}
