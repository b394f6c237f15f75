/**
 * The one table of commands: parsing, help, completion and the reference in the README come from it.
 */
import type { Context } from '../command/context.ts';
import { usageError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import { flagText, GROUPS, usageOf } from '../command/shape.ts';
import type { CommandSpec } from '../command/spec.ts';
import { changeCommands } from './change.ts';
import { diffCommand } from './compare.ts';
import { deleteAllCommand } from './delete-all.ts';
import { dumpCommand } from './dump.ts';
import { ensembleCommands } from './ensemble.ts';
import { lookCommands } from './look.ts';
import { quotaCommands } from './quotas.ts';
import { restoreCommand } from './restore.ts';
import { sessionCommands } from './session.ts';
import { treeCommands } from './trees.ts';
import { watchCommands } from './watching.ts';

const help: CommandSpec = {
  name: 'help',
  group: 'Session',
  help: 'List the commands, or explain one',
  positionals: [{ name: 'command', kind: 'command', optional: true }],
  flags: [],
  isLocal: true,
  run: showHelp,
};

export const COMMANDS: readonly CommandSpec[] = [
  ...lookCommands,
  ...changeCommands,
  deleteAllCommand,
  ...watchCommands,
  ...treeCommands,
  diffCommand,
  dumpCommand,
  restoreCommand,
  ...quotaCommands,
  ...ensembleCommands,
  ...sessionCommands,
  help,
];

const byName: ReadonlyMap<string, CommandSpec> = new Map(
  COMMANDS.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((name) => [name, spec] as const)),
);

export function isCommand(name: string): boolean {
  return byName.has(name);
}

export function commandFound(name: string): CommandSpec | null {
  return byName.get(name) ?? null;
}

/** Whether its words hold a secret: no history keeps it. */
export function isSecretLine(line: string): boolean {
  const name = /^\s*["']?([^\s"']*)/.exec(line)![1]!;
  return byName.get(name)?.isSecret === true;
}

/** @throws ShellError with the nearest name. */
export function commandNamed(name: string): CommandSpec {
  const spec = byName.get(name);
  if (spec !== undefined) return spec;
  const [nearest] = [...byName.keys()]
    .map((known) => ({ known, distance: distance(name.toLowerCase(), known.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const hint = nearest !== undefined && nearest.distance <= 2 ? `; did you mean ${nearest.known}?` : '';
  throw usageError(`unknown command "${name}"${hint} (help lists them all)`);
}

async function showHelp(invocation: Invocation, { out }: Context): Promise<void> {
  const [name] = invocation.words;
  if (name !== undefined) {
    const spec = commandNamed(name);
    await out.result(helpJson(spec), helpText(spec));
    return;
  }
  for (const group of GROUPS) {
    const specs = COMMANDS.filter((spec) => spec.group === group);
    if (specs.length > 0) await out.line(out.paint(group, 'bold'));
    for (const spec of specs) await out.result(helpJson(spec), `  ${usageOf(spec).padEnd(58)} ${spec.help}`);
  }
}

function helpText(spec: CommandSpec): string {
  const flags = spec.flags.map((flag) => `  ${flagText(flag).padEnd(20)} ${flag.help}`);
  const also = spec.aliases === undefined ? [] : [`also: ${spec.aliases.join(', ')}`];
  return [usageOf(spec), `${spec.help}.`, ...flags, ...also].join('\n');
}

function helpJson(spec: CommandSpec) {
  return { command: spec.name, usage: usageOf(spec), help: spec.help };
}

/** Letters to change, add or drop to come from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  return row[b.length]!;
}
