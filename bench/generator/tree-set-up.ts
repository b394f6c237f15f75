/**
 * What must exist before the load and go after it, beside the keys themselves (which the workers make): the root, its
 * directories, the znodes of recipes. Main thread, a window of requests at a time over one session.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';
import { KeySpace } from '../load/key-space.ts';
import type { LargestRequest, RecipeLoad, TreePlan } from '../plan/plan.ts';
import { formatSize } from '../plan/quantity.ts';
import { recipeRoot, recipeZnodes } from '../recipe/recipes.ts';
import { requestRefused } from '../session/refusal.ts';
import { ConnectionLost, Session, withSession } from '../session/session.ts';

const CONNECT_MS_MAX = 5_000;
const WINDOW = 500;
const REMOVE_ROUNDS = 5;
const NO_DATA = new Uint8Array(0);

/** What the set-up has made on the service, and so has to go again; grows while it is made. */
export interface Footprint {
  /** Of the root, those that were not there before: parents first. */
  readonly parents: string[];
  /** Null until it is made. */
  root: string | null;
}

/**
 * The root with its parents, and the directories. `made` tells what there is to remove, also when this fails. With
 * `largest` the service is shown a request of that size first, so that it is known who closes a connection later.
 * @throws Failure in the service's words when it refuses; ConfigFailure when the root exists
 */
export async function createTree(
  addresses: readonly Address[],
  tree: TreePlan,
  made: Footprint,
  largest: LargestRequest | null,
): Promise<void> {
  const { root } = tree;
  await withAnySession(addresses, async (session) => {
    for (let slash = root.indexOf('/', 1); ; slash = root.indexOf('/', slash + 1)) {
      const path = slash < 0 ? root : root.slice(0, slash);
      const error = await session.create(path, NO_DATA);
      const exists = error === 'NODEEXISTS';
      if (exists && slash < 0) {
        throw new ConfigFailure(
          `${root} exists on the target - delete it, or choose another parent with --set tree.root=/...`,
        );
      }
      if (error !== null && !exists) throw requestRefused(`create ${path}`, error);
      if (slash < 0) made.root = path;
      else if (!exists) made.parents.push(path);
      if (slash < 0) break;
    }
    if (largest !== null) await showSize(session, `${root}/size`, largest);
    await createAll(session, new KeySpace(tree).subdirectories);
  });
}

async function showSize(session: Session, path: string, { bytes, key }: LargestRequest): Promise<void> {
  let error: string | null;
  try {
    error = await session.create(path, new Uint8Array(bytes));
  } catch (cause) {
    if (!(cause instanceof ConnectionLost)) throw cause;
    throw new ConfigFailure(
      `the service closes the connection at a request of ${formatSize(bytes)}, which this plan sends (${key}) - its ` +
        'jute.maxbuffer (by default 1048575 bytes) is smaller, or the whole service has ended: raise it, or send less with ' +
        `--set ${key}=...`,
    );
  }
  if (error !== null) throw requestRefused(`create ${path} with ${formatSize(bytes)}`, error);
  await session.errorOf((zk) => zk.delete(path));
}

export async function prepareRecipe(
  addresses: readonly Address[],
  treeRoot: string,
  phaseIndex: number,
  load: RecipeLoad,
  warmUp = false,
): Promise<void> {
  await withAnySession(addresses, (session) =>
    createAll(session, recipeZnodes(load, recipeRoot(treeRoot, phaseIndex, warmUp))),
  );
}

/**
 * Takes away what `made` names: the subtree at the root, children first, and the parents that nobody else uses. Returns
 * what is still there, for the user to know. @throws ConnectionLost
 */
export async function removeTree(addresses: readonly Address[], made: Footprint): Promise<string[]> {
  return withAnySession(addresses, async (session) => {
    const left: string[] = [];
    if (made.root !== null && !(await removeSubtree(session, made.root))) left.push(made.root);
    for (const parent of [...made.parents].reverse()) {
      const error = await session.errorOf((zk) => zk.delete(parent, { ifExists: true }));
      if (error !== null) left.push(parent);
    }
    return left;
  });
}

/** What a session that is just ending still creates is met in another round. False when the root stays. */
async function removeSubtree(session: Session, root: string): Promise<boolean> {
  for (let round = 0; round < REMOVE_ROUNDS; round++) {
    const paths = [root];
    for (let i = 0; i < paths.length; i++) {
      const parent = paths[i]!;
      // One that cannot be listed is gone meanwhile, as ephemerals go.
      await session.errorOf(async (zk) => {
        for (const name of (await zk.children(parent)).names) paths.push(`${parent}/${name}`);
      });
    }
    let ofRoot: string | null = null;
    await inWindows(paths.reverse(), async (path) => {
      const error = await session.errorOf((zk) => zk.delete(path, { ifExists: true }));
      if (path === root) ofRoot = error;
    });
    if (ofRoot === null) return true;
    if (ofRoot !== 'NOTEMPTY') return false;
  }
  return false;
}

/** In the order given where they depend on each other: requests of one session are executed in their order. */
async function createAll(session: Session, paths: readonly string[]): Promise<void> {
  await inWindows(paths, async (path) => {
    const error = await session.create(path, NO_DATA);
    if (error !== null) throw requestRefused(`create ${path}`, error);
  });
}

async function inWindows(paths: readonly string[], one: (path: string) => Promise<void>): Promise<void> {
  for (let first = 0; first < paths.length; first += WINDOW) {
    await Promise.all(paths.slice(first, first + WINDOW).map(one));
  }
}

/**
 * What was made over one server is seen at each of the others, too, from now on; those that do not answer may be down on
 * purpose. Which of them the load is at makes no difference to it then.
 */
export async function awaitEverywhere(addresses: readonly Address[], path: string): Promise<void> {
  if (addresses.length === 1) return;
  const synced = addresses.map((address) =>
    withSession(address, CONNECT_MS_MAX, (session) => session.errorOf((zk) => zk.sync(path))),
  );
  await Promise.allSettled(synced);
}

/** On the first server that answers. */
export async function withAnySession<T>(
  addresses: readonly Address[],
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await connectAny(addresses);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function connectAny(addresses: readonly Address[]): Promise<Session> {
  let failure: unknown = null;
  for (const address of addresses) {
    try {
      return await Session.connect(address, { withinMs: CONNECT_MS_MAX });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
