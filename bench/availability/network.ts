/**
 * A network between the servers of an ensemble on this machine, in this process: each server's view of another's quorum
 * and election port goes through a link of its own, so that the traffic from any server to any other can be cut and slowed,
 * each way by itself. Clients reach their servers as ever. No rights of root are needed, and Apache's servers are under it as ours are.
 *
 *     server 1's zoo.cfg:  server.1=own ports    server.2=link 1->2    server.3=link 1->3
 *     server 2's zoo.cfg:  server.1=link 2->1    server.2=own ports    server.3=link 2->3
 */
import type { Prng } from '../../src/base/prng.ts';
import type { MemberPlan } from '../target/ensemble-plan.ts';
import type { PathState } from './byte-path.ts';
import { ServerLink } from './server-link.ts';

/** Seen from the server that is cut off. */
export type CutWay = 'both' | 'in' | 'out';

interface LinkPair {
  readonly quorum: ServerLink;
  readonly election: ServerLink;
}

export class ServerNetwork {
  private readonly members: readonly MemberPlan[];
  private readonly prng: Prng;
  private readonly paths = new Map<string, PathState>();
  private readonly links = new Map<string, LinkPair>();

  private constructor(members: readonly MemberPlan[], prng: Prng) {
    this.members = members;
    this.prng = prng;
  }

  /** Nothing of it is open when it fails. */
  static async open(members: readonly MemberPlan[], prng: Prng): Promise<ServerNetwork> {
    const network = new ServerNetwork(members, prng);
    try {
      await network.openLinks();
      return network;
    } catch (error) {
      network.close();
      throw error;
    }
  }

  /** All servers as this one is to know them. */
  viewOf({ sid }: MemberPlan): MemberPlan[] {
    return this.members.map((other) => {
      if (other.sid === sid) return other;
      const { quorum, election } = this.links.get(key(sid, other.sid))!;
      return { ...other, quorumPort: quorum.port, electionPort: election.port };
    });
  }

  /** Between this server and all others: nothing passes the given way, and no connection is made. */
  isolate({ sid }: MemberPlan, way: CutWay): void {
    for (const other of this.othersOf(sid)) {
      if (way !== 'in') this.pathOf(sid, other).isCut = true;
      if (way !== 'out') this.pathOf(other, sid).isCut = true;
    }
    this.go();
  }

  /** Between this server and all others, each way. */
  slow({ sid }: MemberPlan, delayMs: number, jitterMs: number): void {
    for (const other of this.othersOf(sid)) {
      Object.assign(this.pathOf(sid, other), { delayMs, jitterMs });
      Object.assign(this.pathOf(other, sid), { delayMs, jitterMs });
    }
  }

  /** As it was in the beginning. What was held back arrives. */
  mend(): void {
    for (const path of this.paths.values()) Object.assign(path, whole());
    this.go();
  }

  close(): void {
    for (const { quorum, election } of this.links.values()) {
      quorum.close();
      election.close();
    }
  }

  private async openLinks(): Promise<void> {
    const pairs = this.members.flatMap((from) =>
      this.members.filter((to) => to !== from).map((to) => ({ from, to })),
    );
    for (const { from, to } of pairs) this.paths.set(key(from.sid, to.sid), whole());
    for (const { from, to } of pairs) {
      const paths = { forth: this.pathOf(from.sid, to.sid), back: this.pathOf(to.sid, from.sid) };
      const callBackPort = (): number => this.links.get(key(to.sid, from.sid))!.election.port;
      const quorum = await ServerLink.open(to.quorumPort, paths, this.prng);
      const election = await ServerLink.open(to.electionPort, paths, this.prng, callBackPort);
      this.links.set(key(from.sid, to.sid), { quorum, election });
    }
  }

  private othersOf(sid: number): number[] {
    return this.members.map((other) => other.sid).filter((other) => other !== sid);
  }

  private pathOf(from: number, to: number): PathState {
    return this.paths.get(key(from, to))!;
  }

  private go(): void {
    for (const { quorum, election } of this.links.values()) {
      quorum.go();
      election.go();
    }
  }
}

function whole(): PathState {
  return { isCut: false, delayMs: 0, jitterMs: 0 };
}

function key(from: number, to: number): string {
  return `${from}>${to}`;
}
