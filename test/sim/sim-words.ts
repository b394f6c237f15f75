/**
 * Four-letter words of a run, each on a connection of its own. Whoever gets a whole answer of `srvr` or `stat` holds it against
 * the model: it shows nothing older than was known when it was asked, nothing that was never proposed, and as many znodes
 * as there are at exactly its zxid.
 */
import type { Judge } from './judge.ts';
import { type ClientEnd, SimConnection } from './sim-network.ts';
import type { SimServer } from './sim-server.ts';
import { Violation } from './world.ts';

const WORDS = ['srvr', 'stat', 'mntr', 'ruok', 'cons', 'dump', 'wchs', 'wchc', 'envi', 'conf', 'srst'];
const PATIENCE_MS = 5000;
/** The root has two names in what a server counts. */
const ROOT_TWICE = 1;

export function drawWord(below: (n: number) => number): string {
  return WORDS[below(2) === 0 ? 0 : below(WORDS.length)]!;
}

/** Asks, and gives up after a while. */
export class SimWord implements ClientEnd {
  private readonly word: string;
  private readonly server: SimServer;
  private readonly judge: Judge;
  private readonly shownZxid: number;
  private readonly connection: SimConnection;
  private answer = '';

  constructor(word: string, server: SimServer, judge: Judge, latencyMsMax: number) {
    this.word = word;
    this.server = server;
    this.judge = judge;
    this.shownZxid = judge.shownZxid;
    this.connection = new SimConnection(server.world, server, this, '10.0.1.1', latencyMsMax);
    server.connections.add(this.connection);
    server.world.after(PATIENCE_MS, () => {
      if (!this.connection.isOpen) return;
      server.connections.delete(this.connection);
      this.connection.close('reset');
    });
  }

  onConnected(): void {
    this.connection.send(new TextEncoder().encode(this.word));
  }

  onBytes(bytes: Uint8Array): void {
    this.answer += new TextDecoder().decode(bytes);
  }

  onClosed(): void {
    this.server.connections.delete(this.connection);
    this.server.world.trace('word', `${this.word} has an answer of ${this.answer.length} characters`);
    if (this.word === 'ruok' && !'imok'.startsWith(this.answer)) throw this.wrong('is no answer');
    if (this.word === 'srvr' || this.word === 'stat') this.compare();
  }

  private compare(): void {
    const { judge, answer } = this;
    // A crash may have cut it off.
    const match = /^Zxid: 0x([0-9a-f]+)$[\s\S]*^Node count: (\d+)\n/m.exec(answer);
    if (match === null) return;
    const zxid = Number.parseInt(match[1]!, 16);
    const count = Number(match[2]) - ROOT_TWICE;
    if (zxid < this.shownZxid) throw this.wrong(`shows zxid ${zxid}; ${this.shownZxid} was known before`);
    if (zxid > judge.model.lastZxid) throw this.wrong(`shows zxid ${zxid}, which was never proposed`);
    const wanted = judge.model.countAt(zxid);
    if (count !== wanted) throw this.wrong(`counts ${count} znodes at zxid ${zxid}, where ${wanted} are`);
    judge.onShown(zxid);
    judge.words++;
  }

  private wrong(what: string): Violation {
    return new Violation(`the answer to ${this.word} ${what}`);
  }
}
