/**
 * Decodes log payloads and ACL vectors into the shape of the fixtures' `expected.json`. Deliberately independent
 * of the codecs under `src/`: an error shared by writer and reader there shows here.
 */
export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

class Cursor {
  private readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  int(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  peekInt(): number {
    return this.bytes.readInt32BE(this.at);
  }

  long(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  bool(): boolean {
    return this.bytes[this.at++] === 1;
  }

  buffer(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  string(): string {
    return this.buffer()!.toString();
  }

  hex(): string | null {
    return this.buffer()?.toString('hex') ?? null;
  }

  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.int() }, item);
  }

  acls(): Acl[] {
    return this.vector(() => ({ perms: this.int(), scheme: this.string(), id: this.string() }));
  }
}

export function decodeAcls(vector: Uint8Array): Acl[] {
  return new Cursor(vector).acls();
}

export function hexId(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** StatPersisted, 60 bytes as hex. */
export function decodeStat(hex: string): Record<string, unknown> {
  const c = new Cursor(Buffer.from(hex, 'hex'));
  return {
    czxid: hexId(c.long()),
    mzxid: hexId(c.long()),
    ctime: Number(c.long()),
    mtime: Number(c.long()),
    version: c.int(),
    cversion: c.int(),
    aversion: c.int(),
    ephemeralOwner: hexId(c.long()),
    pzxid: hexId(c.long()),
  };
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [-11]: 'closeSession',
  [-10]: 'createSession',
  [-1]: 'error',
  1: 'create',
  2: 'delete',
  5: 'setData',
  7: 'setACL',
  13: 'check',
  14: 'multi',
  15: 'create2',
  16: 'reconfig',
  19: 'createContainer',
  21: 'createTTL',
};

/** One payload without the fields that only the file knows (offset). */
export function decodeTxn(payload: Uint8Array): Record<string, unknown> {
  const c = new Cursor(payload);
  const header = {
    payloadLength: payload.length,
    clientId: hexId(c.long()),
    cxid: c.int(),
    zxid: hexId(c.long()),
    timeMs: Number(c.long()),
  };
  const type = c.int();
  const digestAlone = type === -11 && c.left === 12 && c.peekInt() === 2;
  const body = c.left === 0 || digestAlone ? null : decodeBody(type, c);
  const digest = c.left === 12 ? { version: c.int(), treeDigest: String(c.long()) } : null;
  if (c.left !== 0) throw new Error(`${c.left} bytes left in a payload of type ${type}`);
  return { ...header, type, typeName: TYPE_NAMES[type], body, digest };
}

function decodeBody(type: number, c: Cursor): Record<string, unknown> {
  switch (TYPE_NAMES[type]) {
    case 'createSession':
      return { timeOut: c.int() };
    case 'closeSession':
      return { paths: c.vector(() => c.string()) };
    case 'error':
      return { err: c.int() };
    case 'create':
    case 'create2':
      return {
        path: c.string(),
        dataHex: c.hex(),
        acl: c.acls(),
        ephemeral: c.bool(),
        parentCVersion: c.int(),
      };
    case 'createContainer':
      return { path: c.string(), dataHex: c.hex(), acl: c.acls(), parentCVersion: c.int() };
    case 'createTTL': {
      const body = { path: c.string(), dataHex: c.hex(), acl: c.acls(), parentCVersion: c.int() };
      return { ...body, ttl: Number(c.long()) };
    }
    case 'delete':
      return { path: c.string() };
    case 'setData':
    case 'reconfig':
      return { path: c.string(), dataHex: c.hex(), version: c.int() };
    case 'setACL':
      return { path: c.string(), acl: c.acls(), version: c.int() };
    case 'check':
      return { path: c.string(), version: c.int() };
    case 'multi':
      return { txns: c.vector(() => decodeSubTxn(c)) };
    default:
      throw new Error(`unknown txn type ${type}`);
  }
}

function decodeSubTxn(c: Cursor): Record<string, unknown> {
  const type = c.int();
  const sub = new Cursor(c.buffer()!);
  return { type, typeName: TYPE_NAMES[type], body: decodeBody(type, sub) };
}
