/** A harness that ends with its test, and clients whose first frame has been answered. */
import type { TestContext } from 'node:test';
import { type HarnessOptions, NetHarness, until } from './net-harness.ts';
import { framed, TestSocket } from './test-socket.ts';

export async function start(t: TestContext, options: HarnessOptions = {}): Promise<NetHarness> {
  const harness = await NetHarness.start(options);
  t.after(() => harness.stop());
  return harness;
}

/** A client whose first frame has been answered, so that its window is open. */
export async function openSession(harness: NetHarness, reads = true): Promise<TestSocket> {
  const client = await TestSocket.open(harness.port, reads);
  const before = harness.log.length;
  client.write(framed('hello'));
  await until(() => harness.log.slice(before).some((line) => line.startsWith('frame')));
  if (harness.reply === 'hold') harness.answerHeld(1);
  return client;
}
