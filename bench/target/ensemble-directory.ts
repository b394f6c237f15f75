/**
 * Where an ensemble keeps its servers' data: one folder each, and a note of who they are, so that a later run finds the same
 * servers at the same ports. Servers may change their kind in between: both read each other's data.
 *
 *     DIR/ensemble.json
 *     DIR/server-1/zoo.cfg      written by each run
 *     DIR/server-1/data/myid    and version-2: the server's own
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ConfigFailure } from '../../src/base/failure.ts';
import {
  type MemberPlan,
  type MemberPorts,
  memberConfig,
  membersOf,
  type ServerKind,
} from './ensemble-plan.ts';
import { findFreePorts } from './free-port.ts';
import type { Settings } from './target-spec.ts';

export interface EnsembleShape {
  readonly voters: readonly ServerKind[];
  readonly observers: readonly ServerKind[];
  /** Of server 1; the others follow. Null: whatever is free, or what it was the last time. */
  readonly clientPort: number | null;
}

const NOTE = 'ensemble.json';
const PORTS_PER_SERVER = 3;

const port = z.int().min(1).max(65_535);
const note = z.object({
  voters: z.int().min(1),
  observers: z.int().min(0),
  servers: z.array(z.object({ clientPort: port, quorumPort: port, electionPort: port })),
});
type Note = z.infer<typeof note>;

/** The servers of `shape` in `directory`, new or as they were. @throws ConfigFailure when others are in it */
export async function openEnsembleDirectory(directory: string, shape: EnsembleShape): Promise<MemberPlan[]> {
  const { voters, observers } = shape;
  makeDirectory(directory);
  const earlier = readNote(directory);
  if (earlier === null) refuseForeign(directory);
  else refuseOtherShape(directory, earlier, shape);
  const ports = withClientPorts(
    earlier?.servers ?? (await newPorts(voters.length + observers.length)),
    shape,
  );
  writeNote(directory, { voters: voters.length, observers: observers.length, servers: ports });
  return membersOf(voters, observers, ports);
}

/** What a server is started with. @returns the path of its zoo.cfg */
export function writeMemberFiles(
  directory: string,
  member: MemberPlan,
  members: readonly MemberPlan[],
  settings: Settings,
): string {
  const own = memberDirectory(directory, member);
  const data = join(own, 'data');
  makeDirectory(data);
  writeFileSync(join(data, 'myid'), `${member.sid}\n`);
  const configFile = join(own, 'zoo.cfg');
  writeFileSync(configFile, memberConfig(member, members, data, settings));
  return configFile;
}

export function memberDirectory(directory: string, { sid }: MemberPlan): string {
  return join(directory, `server-${sid}`);
}

async function newPorts(count: number): Promise<MemberPorts[]> {
  const free = await findFreePorts(count * PORTS_PER_SERVER);
  return Array.from({ length: count }, (_, at) => ({
    clientPort: free[at]!,
    quorumPort: free[count + at]!,
    electionPort: free[2 * count + at]!,
  }));
}

/** Where the client ports were asked for, the others get out of their way. */
function withClientPorts(ports: readonly MemberPorts[], { clientPort }: EnsembleShape): MemberPorts[] {
  if (clientPort === null) return [...ports];
  const last = clientPort + ports.length - 1;
  if (last > 65_535)
    throw new ConfigFailure(`--client-port ${clientPort}: the last server would be at ${last}`);
  const moved = ports.map((own, at) => ({ ...own, clientPort: clientPort + at }));
  const clients = new Set(moved.map((own) => own.clientPort));
  const taken = moved.find((own) => clients.has(own.quorumPort) || clients.has(own.electionPort));
  if (taken === undefined) return moved;
  throw new ConfigFailure(
    `--client-port ${clientPort}: the servers talk to each other at ports between it and ${last}; give another one`,
  );
}

function makeDirectory(directory: string): void {
  try {
    provide(directory);
  } catch (error) {
    throw new ConfigFailure(`cannot make ${directory}: ${(error as Error).message}`);
  }
}

/** One by one: where the parent allows no folder at all, Node's own recursion never ends. */
function provide(directory: string): void {
  if (existsSync(directory)) return;
  provide(dirname(directory));
  mkdirSync(directory);
}

function readNote(directory: string): Note | null {
  const path = join(directory, NOTE);
  if (!existsSync(path)) return null;
  const parsed = note.safeParse(jsonOf(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new ConfigFailure(
    `${path}: not what ringkeeper ensemble has written; remove ${directory} or give another directory`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whole or not at all: a note cut in half would lose the servers. */
function writeNote(directory: string, content: Note): void {
  const path = join(directory, NOTE);
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

function refuseForeign(directory: string): void {
  const [first] = readdirSync(directory).filter((name) => !name.startsWith(`${NOTE}.`));
  if (first === undefined) return;
  throw new ConfigFailure(
    `${directory}: holds ${first}, and no ensemble that this command has made; give an empty directory`,
  );
}

function refuseOtherShape(
  directory: string,
  { voters, observers, servers }: Note,
  shape: EnsembleShape,
): void {
  const isSame =
    voters === shape.voters.length &&
    observers === shape.observers.length &&
    servers.length === voters + observers;
  if (isSame) return;
  const flags = [`--size ${voters}`, ...(observers > 0 ? [`--observers ${observers}`] : [])].join(' ');
  throw new ConfigFailure(
    `${directory}: holds an ensemble of another size; give ${flags}, or another directory`,
  );
}
