/**
 * Names of sequential znodes are the server's choice, so a replay gets other ones than the recording. This maps
 * recorded paths to replayed ones in later requests, of all connections:
 *
 *     recorded:  create /q/item- = /q/item-0000000007     delete /q/item-0000000007    create /q/item-0000000007/x
 *     replayed:  create /q/item- = /q/item-0000000012     delete /q/item-0000000012    create /q/item-0000000012/x
 *
 * A name is expected from the moment at which its recorded reply passes, since from then on any client may use it;
 * a request that does waits until the replayed reply is there. Equal names are not kept, so a replay on a fresh server
 * keeps nothing. Paths inside the data of znodes are not mapped.
 */
import { JuteReader, MalformedRecord } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { type Request, readRequest, writeRequestFrame } from '../../src/wire/request-values.ts';
import { int32At, opOf, RECORD_AT, xidOf } from './request-facts.ts';

/** About 40 MB; beyond it the oldest names are forgotten, and requests for them go out as recorded. */
const NAMES_MAX = 131_072;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** A name whose replayed counterpart is not known yet. */
export class PendingName {
  private readonly waiters: (() => void)[] = [];

  whenKnown(callback: () => void): void {
    this.waiters.push(callback);
  }

  settle(): void {
    for (const callback of this.waiters.splice(0)) callback();
  }
}

export class PathMap {
  private readonly names = new Map<string, string | PendingName>();

  /** False while every path is its own. */
  get active(): boolean {
    return this.names.size > 0;
  }

  /** The recording has this name; the replay will get one. `learn` must follow. */
  expect(recorded: string): void {
    const old = this.names.get(recorded);
    this.put(recorded, new PendingName());
    if (old instanceof PendingName) old.settle();
  }

  /** The name that the replay got; null: none, and the recorded one stays. */
  learn(recorded: string, replayed: string | null): void {
    const pending = this.names.get(recorded);
    if (replayed === null || replayed === recorded) this.names.delete(recorded);
    else this.put(recorded, replayed);
    if (pending instanceof PendingName) pending.settle();
  }

  /** The replayed path, or what it must wait for. */
  map(path: string): string | PendingName {
    // From the whole path to shorter ones: a name below another mapped one holds the names of both.
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const last = path.charCodeAt(end - 1);
      if (last < DIGIT_0 || last > DIGIT_9) continue; // sequential names end in digits
      const found = this.names.get(end === path.length ? path : path.slice(0, end));
      if (typeof found === 'string') return found + path.slice(end);
      if (found !== undefined) return found;
    }
    return path;
  }

  /** The frame to send for a recorded one. `path` is the request's, null when it has none of its own. */
  rewrite(frame: Uint8Array, path: string | null): Uint8Array | PendingName {
    if (path === null) return this.rewriteRecord(frame);
    const mapped = this.map(path);
    if (mapped instanceof PendingName) return mapped;
    return mapped === path ? frame : withPath(frame, mapped);
  }

  private put(recorded: string, value: string | PendingName): void {
    this.names.delete(recorded); // so that it counts as new
    this.names.set(recorded, value);
    if (this.names.size <= NAMES_MAX) return;
    const [oldest, dropped] = this.names.entries().next().value!;
    this.names.delete(oldest);
    if (dropped instanceof PendingName) dropped.settle();
  }

  /** Requests with several paths. */
  private rewriteRecord(frame: Uint8Array): Uint8Array | PendingName {
    const op = opOf(frame);
    if (!holdsPaths(op)) return frame;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    let request: Request;
    try {
      request = readRequest(new JuteReader(frame, view, RECORD_AT, frame.length), op);
    } catch (error) {
      // Somebody sent it as it is, and got its answer.
      if (error instanceof MalformedRecord) return frame;
      throw error;
    }
    const mapping = new RequestMapping(this);
    const mapped = mapping.request(request);
    if (mapping.pending !== null) return mapping.pending;
    if (!mapping.changed) return frame;
    const writer = new JuteWriter(frame.length + 64);
    writeRequestFrame(writer, xidOf(frame), mapped);
    return writer.toBytes();
  }
}

function holdsPaths(op: number): boolean {
  switch (op) {
    case OpCode.multi:
    case OpCode.multiRead:
    case OpCode.setWatches:
    case OpCode.setWatches2:
      return true;
    default:
      return false;
  }
}

/** Maps the paths of one request and remembers what came of it. */
class RequestMapping {
  changed = false;
  pending: PendingName | null = null;
  private readonly paths: PathMap;

  constructor(paths: PathMap) {
    this.paths = paths;
  }

  request<R extends Request>(request: R): R {
    if ('subs' in request) return { ...request, subs: request.subs.map((sub) => this.request(sub)) };
    if ('path' in request && request.path !== null) return { ...request, path: this.path(request.path) };
    if (!('exist' in request)) return request;
    const lists = {
      data: this.all(request.data),
      exist: this.all(request.exist),
      child: this.all(request.child),
    };
    if (!('persistent' in request)) return { ...request, ...lists };
    return {
      ...request,
      ...lists,
      persistent: this.all(request.persistent),
      persistentRecursive: this.all(request.persistentRecursive),
    };
  }

  private all(paths: readonly string[]): readonly string[] {
    return paths.map((path) => this.path(path));
  }

  private path(path: string): string {
    const mapped = this.paths.map(path);
    if (mapped instanceof PendingName) {
      this.pending = mapped;
      return path;
    }
    if (mapped !== path) this.changed = true;
    return mapped;
  }
}

/** The same request for another path. */
function withPath(frame: Uint8Array, path: string): Uint8Array {
  const bytes = Buffer.from(path, 'utf8');
  const rest = RECORD_AT + 4 + int32At(frame, RECORD_AT);
  const result = Buffer.allocUnsafe(RECORD_AT + 4 + bytes.length + frame.length - rest);
  result.set(frame.subarray(0, RECORD_AT));
  result.writeInt32BE(result.length - 4, 0);
  result.writeInt32BE(bytes.length, RECORD_AT);
  result.set(bytes, RECORD_AT + 4);
  result.set(frame.subarray(rest), RECORD_AT + 4 + bytes.length);
  return result;
}
