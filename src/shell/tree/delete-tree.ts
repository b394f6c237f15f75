/**
 * Deletes a tree from its leaves up while it is being listed: what is known at a time is the way down to the present
 * znode, whatever the tree's size. Deletes leave in order and many at a time; the order of one session puts a parent's
 * behind those of its children.
 *
 *     walk:   /a   /a/b   /a/b/c   /a/d            stack   /a /a/b /a/b/c
 *     delete:                     /a/b/c  /a/b             popped when the walk comes back up
 */
import { isZk, type Zk } from '../../client/index.ts';
import { refusedError } from '../command/failure.ts';
import { isServers } from './count.ts';
import { InFlight } from './in-flight.ts';
import { walkTree } from './walk.ts';

/** Somebody may create below while we delete; this often we begin again. */
const ROUNDS_MAX = 100;
/** Transactions on their way. */
const BATCHES = 4;
/** Far below what a server takes in one request. */
const BATCH_LETTERS_MAX = 100_000;

export interface DeleteOptions {
  readonly signal: AbortSignal;
  /** Deletes in one transaction; 1 = each alone. */
  readonly batch: number;
}

/** Counts as it goes, so that a failure half-way can be told. */
export class TreeDeletion {
  deleted = 0;
  private readonly zk: Zk;
  private readonly options: DeleteOptions;
  private readonly flight: InFlight;
  private gathered: string[] = [];
  private gatheredLetters = 0;
  /** A child came meanwhile. */
  private foundNew = false;

  constructor(zk: Zk, options: DeleteOptions) {
    this.zk = zk;
    this.options = options;
    this.flight = new InFlight(options.batch === 1 ? undefined : BATCHES);
  }

  /** `/` itself stays, and what belongs to the server. */
  async run(root: string): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      this.foundNew = false;
      await this.pass(root, round);
      if (!this.foundNew) return;
    }
    throw refusedError(`${root}: others create below it faster than it can be deleted`);
  }

  private async pass(root: string, round: number): Promise<void> {
    const stack: string[] = [];
    try {
      const enters = (path: string): boolean => !isServers(this.zk, path);
      for await (const { path, depth } of walkTree(this.zk, root, { signal: this.options.signal, enters })) {
        while (stack.length > depth) await this.add(stack.pop()!);
        stack.push(path);
      }
    } catch (error) {
      // Begun again, and somebody else has finished it.
      if (!(round > 0 && isZk(error, 'NONODE'))) throw error;
    }
    while (stack.length > 0) await this.add(stack.pop()!);
    await this.sendGathered();
    await this.flight.settled();
  }

  private async add(path: string): Promise<void> {
    if (path === '/' || isServers(this.zk, path)) return;
    this.gathered.push(path);
    this.gatheredLetters += path.length;
    const isFull = this.gathered.length >= this.options.batch || this.gatheredLetters >= BATCH_LETTERS_MAX;
    if (isFull) await this.sendGathered();
  }

  private async sendGathered(): Promise<void> {
    const paths = this.gathered;
    if (paths.length === 0) return;
    this.gathered = [];
    this.gatheredLetters = 0;
    await this.flight.start(() =>
      paths.length === 1 ? this.deleteOne(paths[0]!) : this.deleteTogether(paths),
    );
  }

  private async deleteTogether(paths: readonly string[]): Promise<void> {
    const { signal } = this.options;
    try {
      await this.zk.multi(
        paths.map((path) => ({ kind: 'delete', path, version: -1 }) as const),
        { signal },
      );
      this.deleted += paths.length;
    } catch (error) {
      // One of them is not as it was: each alone tells which.
      if (!isZk(error, 'MULTIFAILED')) throw error;
      await Promise.all(paths.map((path) => this.deleteOne(path)));
    }
  }

  private async deleteOne(path: string): Promise<void> {
    try {
      await this.zk.delete(path, { signal: this.options.signal });
      this.deleted++;
    } catch (error) {
      if (isZk(error, 'NONODE')) return;
      if (!isZk(error, 'NOTEMPTY')) throw error;
      this.foundNew = true;
    }
  }
}
