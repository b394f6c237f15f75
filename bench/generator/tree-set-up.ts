/**
 * What must exist before the load and go after it, beside the keys themselves (which the workers make): the root, its
 * directories, the znodes of recipes. Main thread, a window of requests at a time over one session.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { Address } from '../base/address.ts';
import { KeySpace } from '../load/key-space.ts';
import type { RecipeLoad, TreePlan } from '../plan/plan.ts';
import { recipeRoot, recipeZnodes } from '../recipe/recipes.ts';
import { createRequest, deleteRequest } from '../session/frames.ts';
import { RawSession } from '../session/raw-session.ts';

const CONNECT_MS_MAX = 5_000;
const WINDOW = 500;
const NO_DATA = new Uint8Array(0);

/** The root with its parents, and the directories. @throws ConfigFailure when the root exists. */
export async function createTree(addresses: readonly Address[], tree: TreePlan): Promise<void> {
  const { root } = tree;
  await withAnySession(addresses, async (session) => {
    for (let slash = root.indexOf('/', 1); ; slash = root.indexOf('/', slash + 1)) {
      const path = slash < 0 ? root : root.slice(0, slash);
      const { error } = await session.request(createRequest(path, NO_DATA));
      const exists = error === ErrorCode.nodeExists;
      if (exists && slash < 0) {
        throw new ConfigFailure(
          `${root} exists on the target - delete it, or choose another parent with --set tree.root=/...`,
        );
      }
      if (error !== 0 && !exists) throw new Error(`create ${path} gave ${errorName(error)}`);
      if (slash < 0) break;
    }
    await createAll(session, new KeySpace(tree).subdirectories);
  });
}

export async function prepareRecipe(
  addresses: readonly Address[],
  treeRoot: string,
  phaseIndex: number,
  load: RecipeLoad,
): Promise<void> {
  await withAnySession(addresses, (session) =>
    createAll(session, recipeZnodes(load, recipeRoot(treeRoot, phaseIndex))),
  );
}

/** The subtree at `root`, children first. */
export async function removeTree(addresses: readonly Address[], root: string): Promise<void> {
  await withAnySession(addresses, async (session) => {
    const paths = [root];
    for (let i = 0; i < paths.length; i++) {
      const parent = paths[i]!;
      const { error, body } = await session.request({
        op: OpCode.getChildren,
        path: parent,
        watch: false,
      });
      if (error !== 0) continue; // gone meanwhile, as ephemerals go
      for (const name of new JuteReader(body).readList((reader) => reader.readText())) {
        paths.push(`${parent}/${name}`);
      }
    }
    await inWindows(paths.reverse(), async (path) => {
      await session.request(deleteRequest(path));
    });
  });
}

/** In the order given where they depend on each other: requests of one session are executed in their order. */
async function createAll(session: RawSession, paths: readonly string[]): Promise<void> {
  await inWindows(paths, async (path) => {
    const { error } = await session.request(createRequest(path, NO_DATA));
    if (error !== 0) throw new Error(`create ${path} gave ${errorName(error)}`);
  });
}

async function inWindows(paths: readonly string[], one: (path: string) => Promise<void>): Promise<void> {
  for (let first = 0; first < paths.length; first += WINDOW) {
    await Promise.all(paths.slice(first, first + WINDOW).map(one));
  }
}

/** On the first server that answers. */
export async function withAnySession<T>(
  addresses: readonly Address[],
  use: (session: RawSession) => Promise<T>,
): Promise<T> {
  const session = await connectAny(addresses);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function connectAny(addresses: readonly Address[]): Promise<RawSession> {
  let failure: unknown = null;
  for (const address of addresses) {
    try {
      return await RawSession.connect(address, CONNECT_MS_MAX);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
