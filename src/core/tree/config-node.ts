/**
 * `/zookeeper/config`, where clients read who belongs to the ensemble. Each server writes it by itself when a term begins, outside
 * of any transaction, as Apache's do: data version -1, and as its zxid the version of the configuration. The tree's digest
 * does not count it. Core thread.
 */
import type { Zxid } from '../../base/zxid.ts';
import { asciiBytes } from '../path/path.ts';
import type { Tree } from './tree.ts';

export const CONFIG_PATH = asciiBytes('/zookeeper/config');
const DATA_VERSION = -1;

/** Nobody watches yet; a change that has been proposed already stays the newer one. */
export function writeConfigNode(tree: Tree, text: Uint8Array, version: Zxid, wallMs: number): void {
  const id = tree.find(CONFIG_PATH, 0, CONFIG_PATH.length, tree.hash.of(CONFIG_PATH, 0, CONFIG_PATH.length));
  if (id === 0 || tree.committedOf(id) === 0 || tree.nodes.pendingOf(id) !== 0) return;
  tree.replaceContent(id, text, DATA_VERSION, version, wallMs);
}
