/**
 * What the parts of the client that need several requests ask of it. `Zk` is this and more; they do not know `Zk`.
 */
import type { Stat } from '../wire/stat.ts';
import type { CallOptions, ClientCore } from './client-core.ts';
import type { Created, CreateOp, Data, NodeData } from './operations.ts';
import type { WatchStream } from './watch-stream.ts';
import type { Children, CreateOptions, DeleteOptions, WatchOptions, WriteOptions } from './zk-options.ts';

export interface ZkApi {
  readonly core: ClientCore;
  /** The root of its paths on the server. */
  readonly chroot: string;
  readonly epoch: number;
  readonly sessionId: bigint;
  create(path: string, data: Data, options: CreateOptions): Promise<Created>;
  /** One request, whatever the options that need more. */
  createOnce(operation: CreateOp, options: CallOptions): Promise<Created>;
  tryGetData(path: string, options?: CallOptions): Promise<NodeData | null>;
  exists(path: string, options?: CallOptions): Promise<Stat | null>;
  children(path: string, options?: CallOptions): Promise<Children>;
  setData(path: string, data: Data, options: WriteOptions): Promise<Stat>;
  delete(path: string, options: DeleteOptions): Promise<void>;
  sync(path?: string, options?: CallOptions): Promise<void>;
  watch(path: string, options: WatchOptions): Promise<WatchStream>;
}
