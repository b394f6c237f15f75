/**
 * The proof beside the figures: a writer that creates numbered znodes one after the other while servers fail, and remembers
 * which were acknowledged. In the end each server, after a sync, must show every one of them.
 *
 *     create n --answered--> acknowledged, n + 1        --connection lost--> unknown: n is given up, n + 1 elsewhere
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Address, addressText } from '../base/address.ts';
import { requestRefused } from '../session/refusal.ts';
import { Session, withSession } from '../session/session.ts';

/** Few enough that the probes do not queue behind them, and that one reply lists all names. */
const PERIOD_MS = 20;
const REPLY_MS_MAX = 2_000;
const READ_MS_MAX = 30_000;
const NO_DATA = Buffer.alloc(0);

export class AcknowledgedWrites {
  private readonly addresses: readonly Address[];
  private readonly parent: string;
  private readonly names: string[] = [];
  private readonly abort = new AbortController();
  private running: Promise<void> = Promise.resolve();

  /** `parent` exists and has no other children. */
  constructor(addresses: readonly Address[], parent: string) {
    this.addresses = addresses;
    this.parent = parent;
  }

  get count(): number {
    return this.names.length;
  }

  start(): void {
    this.running = this.write();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.running;
  }

  /** `host:port: name` for each that a server does not show. After `stop`. @throws Error when a server does not answer */
  async missing(): Promise<string[]> {
    const perServer = await Promise.all(
      this.addresses.map((address) =>
        withSession(address, READ_MS_MAX, async (session) => {
          await session.ask((zk) => zk.sync(this.parent));
          const shown = new Set(await session.ask(async (zk) => (await zk.children(this.parent)).names));
          return this.names
            .filter((name) => !shown.has(name))
            .map((name) => `${addressText(address)}: ${name}`);
        }),
      ),
    );
    return perServer.flat();
  }

  private async write(): Promise<void> {
    let session: Session | null = null;
    for (let number = 0; !this.abort.signal.aborted; number++) {
      try {
        session ??= await this.connect(number);
        const name = `n${number}`;
        const error = await session.create(`${this.parent}/${name}`, NO_DATA);
        if (error !== null) throw requestRefused(`create ${name}`, error);
        this.names.push(name);
      } catch {
        // Not acknowledged, so nothing is promised; the next one goes to another server.
        session?.destroy();
        session = null;
      }
      await delay(PERIOD_MS);
    }
    await session?.close();
  }

  private connect(number: number): Promise<Session> {
    const address = this.addresses[number % this.addresses.length]!;
    return Session.connect(address, { withinMs: REPLY_MS_MAX, replyMs: REPLY_MS_MAX });
  }
}
