/**
 * What one writer has asked for, and which states of its part of the tree a server may show after it was killed.
 *
 * A session's requests are applied in the order in which they were sent, so after a restart exactly the first k of them
 * have happened: all that were acknowledged, and perhaps some of those in flight, never one without those before it.
 *
 *     operations   0 1 2 3 4 5 6 7 8 9
 *                  acknowledged ▲     ▲ sent           state after k operations, acknowledged <= k <= sent
 *
 * Every operation changes something that can be seen, so a state tells its k; a multi of which a part has happened
 * fits none.
 */
import type { Prng } from '../../../src/base/prng.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { multi } from '../../support/request-bodies.ts';
import { CLOSE, check, create, EPHEMERAL, type Request, remove, SEQUENTIAL, setData } from './requests.ts';

export const SEQUENCES = '/sequences';
export const EPHEMERALS = '/ephemerals';

const KEYS = 16;
const KEYS_PER_MULTI = 4;
const NEVER_A_VERSION = 1_000_000;
const SEQUENCE_DIGITS = 10;

const text = new TextEncoder();

/** A writer's part of the tree. */
export interface Contents {
  /** Data by path, below the writer's own node. */
  readonly keys: Map<string, string>;
  /** Paths of the ephemerals of its session. */
  readonly ephemerals: Set<string>;
  /** Names of its sequential nodes by the number of the operation that made each; null = not known yet. */
  readonly sequences: Map<number, string | null>;
  hasSession: boolean;
}

/** What the writer has of it, as a server shows it. */
export interface Observed {
  readonly keys: ReadonlyMap<string, string>;
  readonly ephemerals: ReadonlySet<string>;
  readonly sequences: ReadonlySet<string>;
  readonly hasSession: boolean;
}

export interface Operation {
  readonly request: Request;
  /** The operation is a multi that has to fail. */
  readonly fails: boolean;
  readonly apply: (contents: Contents) => void;
}

export class WriterModel {
  readonly home: string;
  readonly name: string;
  /** After everything acknowledged. */
  private readonly acknowledged: Contents;
  /** After everything sent. */
  private readonly sent: Contents;
  private readonly inFlight: Operation[] = [];
  private nextNumber = 0;
  private readonly random: Prng;

  constructor(index: number, random: Prng) {
    this.name = `w${index}`;
    this.home = `/${this.name}`;
    this.random = random;
    const nothing = (): Contents => ({
      keys: new Map(),
      ephemerals: new Set(),
      sequences: new Map(),
      hasSession: false,
    });
    this.acknowledged = nothing();
    this.sent = nothing();
  }

  get inFlightCount(): number {
    return this.inFlight.length;
  }

  /** Its operations so far have ended its session. */
  get isSessionClosed(): boolean {
    return !this.sent.hasSession;
  }

  onSessionOpened(): void {
    this.acknowledged.hasSession = true;
    this.sent.hasSession = true;
  }

  /** The next operation, chosen by the seed; it counts as sent. */
  next(): Operation {
    const operation = this.choose(this.nextNumber++);
    operation.apply(this.sent);
    this.inFlight.push(operation);
    return operation;
  }

  /** The oldest in flight has been answered; `created` is the name of a sequential node. */
  acknowledge(created: string | null): void {
    this.inFlight.shift()!.apply(this.acknowledged);
    if (created === null) return;
    const number = Number(created.split('-')[1]);
    this.acknowledged.sequences.set(number, created);
    if (this.sent.sequences.has(number)) this.sent.sequences.set(number, created);
  }

  /**
   * The server is back and shows this: how many of the operations in flight have happened. From here on they count as
   * acknowledged, and the others as never sent. @throws Error when no number fits
   */
  settle(observed: Observed): number {
    const state = copyOf(this.acknowledged);
    const unlike: string[] = [];
    for (let happened = 0; ; happened++) {
      const difference = differenceBetween(state, observed);
      if (difference === null) {
        this.adopt(state, observed);
        return happened;
      }
      unlike.push(`after ${happened} of them: ${difference}`);
      const operation = this.inFlight[happened];
      if (operation === undefined) break;
      operation.apply(state);
    }
    throw new Error(
      `${this.name}: with ${this.inFlight.length} operations in flight no number of them explains what is there\n` +
        unlike.join('\n'),
    );
  }

  private adopt(state: Contents, observed: Observed): void {
    for (const name of observed.sequences) state.sequences.set(Number(name.split('-')[1]), name);
    this.inFlight.length = 0;
    for (const contents of [this.acknowledged, this.sent]) {
      replace(contents.keys, state.keys);
      replace(contents.sequences, state.sequences);
      contents.ephemerals.clear();
      for (const path of state.ephemerals) contents.ephemerals.add(path);
      contents.hasSession = state.hasSession;
    }
  }

  // ---- operations ----------------------------------------------------------------------------------------

  private choose(number: number): Operation {
    const draw = this.random.below(100);
    if (draw < 35) return this.single(number);
    if (draw < 60) return this.several(number);
    if (draw < 65) return this.failing();
    if (draw < 85) return this.sequential(number);
    if (draw < 90) return this.removeSequential() ?? this.single(number);
    if (draw < 99 || this.sent.ephemerals.size < 10) return this.ephemeral(number);
    return closing();
  }

  /** One key made, changed or removed. */
  private single(number: number): Operation {
    const [request, apply] = this.change(this.key(), String(number));
    return { request, apply, fails: false };
  }

  /** Several keys, all or none. */
  private several(number: number): Operation {
    const keys = new Set(Array.from({ length: KEYS_PER_MULTI }, () => this.key()));
    const changes = [...keys].map((key) => this.change(key, String(number)));
    return {
      request: { op: OpCode.multi, body: multi(changes.map(([request]) => request)) },
      apply: (contents) => {
        for (const [, apply] of changes) apply(contents);
      },
      fails: false,
    };
  }

  /** A multi whose last step must fail: nothing of it may ever be seen. */
  private failing(): Operation {
    const [request] = this.change(this.key(), 'never');
    const impossible = check('/', NEVER_A_VERSION);
    return {
      request: { op: OpCode.multi, body: multi([request, impossible]) },
      apply: () => {},
      fails: true,
    };
  }

  private sequential(number: number): Operation {
    return {
      request: create(`${SEQUENCES}/${this.name}-${number}-`, undefined, SEQUENTIAL),
      apply: ({ sequences }) => void sequences.set(number, null),
      fails: false,
    };
  }

  /** Removes the newest one whose name is known: the counter must not come back to its number. */
  private removeSequential(): Operation | null {
    const newest = [...this.sent.sequences].findLast(([, name]) => name !== null);
    if (newest === undefined) return null;
    const [number, name] = newest;
    return {
      request: remove(`${SEQUENCES}/${name}`),
      apply: ({ sequences }) => void sequences.delete(number),
      fails: false,
    };
  }

  private ephemeral(number: number): Operation {
    const path = `${EPHEMERALS}/${this.name}-${number}`;
    return {
      request: create(path, undefined, EPHEMERAL),
      apply: ({ ephemerals }) => void ephemerals.add(path),
      fails: false,
    };
  }

  private key(): string {
    return `${this.home}/${this.random.below(KEYS)}`;
  }

  private change(path: string, data: string): readonly [Request, (contents: Contents) => void] {
    if (!this.sent.keys.has(path)) {
      return [create(path, text.encode(data)), ({ keys }) => void keys.set(path, data)];
    }
    if (this.random.chance(0.2)) return [remove(path), ({ keys }) => void keys.delete(path)];
    return [setData(path, text.encode(data)), ({ keys }) => void keys.set(path, data)];
  }
}

/** The number that the server put behind a sequential name. */
export function sequenceNumber(name: string): number {
  return Number(name.slice(-SEQUENCE_DIGITS));
}

function closing(): Operation {
  return {
    request: CLOSE,
    apply: (contents) => {
      contents.ephemerals.clear();
      contents.hasSession = false;
    },
    fails: false,
  };
}

function copyOf(contents: Contents): Contents {
  return {
    keys: new Map(contents.keys),
    ephemerals: new Set(contents.ephemerals),
    sequences: new Map(contents.sequences),
    hasSession: contents.hasSession,
  };
}

function replace<K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>): void {
  into.clear();
  for (const [key, value] of from) into.set(key, value);
}

/** The first thing in which they differ, or null. */
function differenceBetween(expected: Contents, observed: Observed): string | null {
  if (expected.hasSession !== observed.hasSession) {
    return `the session should ${expected.hasSession ? '' : 'not '}be there`;
  }
  for (const path of new Set([...expected.keys.keys(), ...observed.keys.keys()])) {
    const [wanted, found] = [expected.keys.get(path), observed.keys.get(path)];
    if (wanted !== found) return `${path} is ${found}, not ${wanted}`;
  }
  const odd = [...expected.ephemerals].find((path) => !observed.ephemerals.has(path));
  if (odd !== undefined) return `${odd} is missing`;
  if (observed.ephemerals.size !== expected.ephemerals.size) return 'there are ephemerals too many';
  const numbers = new Map([...observed.sequences].map((name) => [Number(name.split('-')[1]), name]));
  for (const [number, name] of expected.sequences) {
    const found = numbers.get(number);
    if (found === undefined || (name !== null && name !== found))
      return `sequential node ${number} is ${found}`;
  }
  if (numbers.size !== expected.sequences.size) return 'there are sequential nodes too many';
  return null;
}
