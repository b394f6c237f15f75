/**
 * The file that `dump` writes: JSON lines, UTF-8, one object a line, so that other tools can read and make it.
 *
 *     {"format":"ringkeeper-dump","version":1,"root":"/app","time":"2026-11-30T03:00:00.000Z","withAcl":true}
 *     {"path":"/","data":"text"}                                          the root of the tree
 *     {"path":"/a","data":"//79","encoding":"base64","acl":[{"scheme":"ip","id":"10.0.0.1","perms":"cdrwa"}]}
 *     {"path":"/a/t","data":null,"kind":"ttl","ttlMs":60000}
 *     {"end":true,"znodes":3,"bytes":7,"firstZxid":"0x1f","lastZxid":"0x1f"}
 *
 *     path       below the root; parents before children, children by name
 *     data       text; with `encoding` base64 what is no UTF-8; null = none, which is something else than ""
 *     kind       persistent where it is missing; else ephemeral, container, ttl (with ttlMs). `dump` writes no container
 *                and no ttl: servers do not tell clients of them
 *     acl        everybody may do everything where it is missing; perms of c d r w a; withAcl false: nothing is known
 *     end        the last line: without it the file is not whole. Equal zxids: nothing was written meanwhile
 *
 * Unknown fields are passed over; another version is refused.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Stat } from '../../client/index.ts';
import { pathProblem } from '../../client/paths.ts';
import { type AclEntry, aclJson, isOpenAcl, parsePerms } from '../command/acl-text.ts';
import { dataJson, parseData } from '../command/data-text.ts';
import { refusedError, type ShellError } from '../command/failure.ts';
import { ZNODE_KINDS, type ZnodeKind } from './znode-kind.ts';
import { comparePaths, type Znode } from './znodes.ts';

const FORMAT = 'ringkeeper-dump';
const VERSION = 1;

export interface DumpHeader {
  readonly root: string;
  readonly time: string;
  readonly withAcl: boolean;
}

export interface DumpEnd {
  readonly znodes: number;
  readonly bytes: number;
  readonly firstZxid: string;
  readonly lastZxid: string;
}

export function headerLine(header: DumpHeader): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, ...header });
}

export function znodeLine({ path, data, kind, ttlMs, acl }: Znode): string {
  return JSON.stringify({
    path,
    ...trimmed(dataJson(data)),
    ...(kind === 'persistent' ? {} : { kind }),
    ...(ttlMs === null ? {} : { ttlMs }),
    ...(acl === null || isOpenAcl(acl) ? {} : { acl: aclJson(acl) }),
  });
}

export function endLine(end: DumpEnd): string {
  return JSON.stringify({ end: true, ...end });
}

/** Text needs no word on its encoding. */
function trimmed({ data, encoding }: ReturnType<typeof dataJson>) {
  return encoding === 'base64' ? { data, encoding } : { data };
}

/** @throws ShellError that names the line; also when the end is missing. Nothing is given back after a wrong line. */
export async function* readDump(file: string): AsyncGenerator<Znode, void> {
  const input = createReadStream(file);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  // A stream's error does not reach who reads its lines.
  input.once('error', (error) => {
    failed.reject(error);
    lines.close();
  });
  const reader = new DumpReader(file);
  try {
    for await (const line of lines) {
      const znode = reader.take(line);
      if (znode !== null) yield znode;
    }
  } finally {
    input.destroy();
  }
  if (input.errored !== null) await failed.promise;
  reader.finish();
}

interface LineFields {
  readonly format?: unknown;
  readonly version?: unknown;
  readonly withAcl?: unknown;
  readonly end?: unknown;
  readonly znodes?: unknown;
  readonly path?: unknown;
  readonly data?: unknown;
  readonly encoding?: unknown;
  readonly kind?: unknown;
  readonly ttlMs?: unknown;
  readonly acl?: unknown;
}

class DumpReader {
  private readonly file: string;
  private lineNumber = 0;
  private count = 0;
  private hasHeader = false;
  private withAcl = true;
  private hasEnded = false;
  private lastPath: string | null = null;

  constructor(file: string) {
    this.file = file;
  }

  /** null for a line without a znode. */
  take(line: string): Znode | null {
    this.lineNumber++;
    if (line.trim() === '') return null;
    const fields = this.parse(line);
    if (this.hasEnded) throw this.wrong('stands behind the end');
    if (!this.hasHeader) {
      this.checkHeader(fields);
      return null;
    }
    if (fields.end === true) {
      if (fields.znodes !== this.count)
        throw this.wrong(`counts ${fields.znodes} znodes, but ${this.count} stand before it`);
      this.hasEnded = true;
      return null;
    }
    this.count++;
    return this.znodeOf(fields);
  }

  finish(): void {
    if (!this.hasHeader) throw refusedError(`${this.file} is empty, no dump`);
    if (!this.hasEnded) throw refusedError(`${this.file} is not whole: its last line, the end, is missing`);
  }

  private parse(line: string): LineFields {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    } catch {
      // Told below.
    }
    throw this.wrong('is no JSON object');
  }

  private checkHeader({ format, version, withAcl }: LineFields): void {
    if (format !== FORMAT) throw this.wrong(`is no header of a dump ("format":"${FORMAT}")`);
    if (version !== VERSION) throw this.wrong(`says version ${version}; this shell reads version ${VERSION}`);
    this.hasHeader = true;
    this.withAcl = withAcl !== false;
  }

  private znodeOf(fields: LineFields): Znode {
    const { path, kind = 'persistent', ttlMs = null } = fields;
    if (typeof path !== 'string') throw this.wrong('has no path');
    const problem = pathProblem(path);
    if (problem !== null) throw this.wrong(`has a path that ${problem}`);
    if (this.lastPath !== null && comparePaths(this.lastPath, path) >= 0)
      throw this.wrong(`has ${path} behind ${this.lastPath}: not in order, or twice`);
    this.lastPath = path;
    if (!ZNODE_KINDS.includes(kind as ZnodeKind)) throw this.wrong(`has an unknown kind "${kind}"`);
    const isTtl = Number.isSafeInteger(ttlMs) && (ttlMs as number) > 0;
    if ((kind === 'ttl') !== isTtl) throw this.wrong('has a ttlMs without its kind, or the other way round');
    return {
      path,
      data: this.dataOf(fields),
      kind: kind as ZnodeKind,
      ttlMs: isTtl ? (ttlMs as number) : null,
      acl: this.withAcl ? this.aclOf(fields.acl) : null,
      stat: null as Stat | null,
    };
  }

  private dataOf({ data, encoding = 'utf8' }: LineFields): Uint8Array | null {
    if (data === null || data === undefined) return null;
    if (typeof data !== 'string' || (encoding !== 'utf8' && encoding !== 'base64'))
      throw this.wrong('has data that is neither text nor base64');
    return this.read(() => parseData(data, encoding));
  }

  private aclOf(acl: unknown): readonly AclEntry[] {
    if (acl === undefined) return OPEN;
    if (!Array.isArray(acl) || acl.length === 0) throw this.wrong('has an acl that is no list');
    return acl.map((entry: { scheme?: unknown; id?: unknown; perms?: unknown } | null) => {
      const { scheme, id, perms } = entry ?? {};
      if (!isText(scheme) || !isText(id) || typeof perms !== 'string')
        throw this.wrong('has an acl entry without scheme, id and perms');
      return { scheme, id, perms: this.read(() => parsePerms(perms, `${scheme}:${id}:${perms}`)) };
    });
  }

  private read<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      throw this.wrong(`cannot be read: ${(error as Error).message}`);
    }
  }

  private wrong(what: string): ShellError {
    return refusedError(`${this.file}:${this.lineNumber}: this line ${what}`);
  }
}

/** Some clients send null for an empty text. */
function isText(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

const OPEN: readonly AclEntry[] = [{ scheme: 'world', id: 'anyone', perms: 31 }];
