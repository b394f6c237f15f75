/**
 * The ensemble's configuration: Apache's `config` and `reconfig`.
 */
import { readFile } from 'node:fs/promises';
import type { Context } from '../command/context.ts';
import { textOf } from '../command/data-text.ts';
import { usageError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { CommandSpec } from '../command/spec.ts';
import { statJson, statText } from '../command/stat-text.ts';
import { rootView } from '../tree/root-view.ts';

const CONFIG_PATH = '/zookeeper/config';

export const ensembleCommands: readonly CommandSpec[] = [
  {
    name: 'config',
    aliases: ['getConfig'],
    group: 'Ensemble',
    help: 'Print the configuration of the ensemble',
    positionals: [],
    flags: [
      { name: 'c', help: 'as a connect string' },
      { name: 'w', help: 'print the next change' },
      { name: 's', help: 'print the Stat too' },
    ],
    run: config,
  },
  {
    name: 'reconfig',
    group: 'Ensemble',
    help: 'Change the members of the ensemble',
    positionals: [],
    flags: [
      { name: 's', help: 'print the Stat too' },
      { name: 'v', value: 'version', help: 'only if the configuration has this version (hex)' },
      { name: 'file', value: 'file', kind: 'file', help: 'all members, lines server.N=…' },
      { name: 'members', value: 'list', help: 'all members: server.N=…,…' },
      { name: 'add', value: 'list', help: 'who joins: server.N=…,…' },
      { name: 'remove', value: 'ids', help: 'who leaves: N,…' },
    ],
    run: reconfig,
  },
];

async function config(invocation: Invocation, { connection, out, signal, watches }: Context): Promise<void> {
  const root = rootView(connection.zk);
  const watched = invocation.has('w') ? await root.getData(CONFIG_PATH, { signal, watch: true }) : null;
  if (watched !== null) watches.addOneShot('data', CONFIG_PATH, watched);
  const { data, stat } = watched ?? (await root.getData(CONFIG_PATH, { signal }));
  const text = textOf(data ?? new Uint8Array(0)) ?? '';
  const shown = invocation.has('c') ? connectStringOf(text) : text;
  const withStat = invocation.has('s');
  if (out.json) {
    await out.result({ config: shown, stat: withStat ? statJson(stat) : undefined }, '');
    return;
  }
  await out.line(shown);
  if (withStat) await out.line(statText(stat));
}

/** `host:port,… version`, of lines `server.N=host:port:port:role;[address:]port`. */
function connectStringOf(text: string): string {
  const hosts: string[] = [];
  let version = '';
  for (const line of text.split('\n')) {
    const [key = '', value = ''] = line.split(/=(.*)/s);
    if (key === 'version') version = value;
    const client = value.split(';')[1]?.trim();
    if (!key.startsWith('server.') || client === undefined) continue;
    const port = client.slice(client.lastIndexOf(':') + 1);
    const address = client.includes(':') ? client.slice(0, client.lastIndexOf(':')) : '0.0.0.0';
    const host = /^(?:\[[^\]]*\]|[^:]*)/.exec(value)![0];
    hosts.push(`${address === '0.0.0.0' ? host : address}:${port}`);
  }
  return `${hosts.join(',')} ${version}`.trim();
}

async function reconfig(invocation: Invocation, { connection, out, signal }: Context): Promise<void> {
  const asLists = invocation.has('add') || invocation.has('remove');
  const asWhole = invocation.has('members') || invocation.has('file');
  if (!asLists && !asWhole) throw invocation.fail('one of -add, -remove, -members, -file is missing');
  if (asLists && asWhole) throw invocation.fail('-members and -file go with neither -add nor -remove');
  if (invocation.has('members') && invocation.has('file'))
    throw invocation.fail('-members or -file, not both');
  const file = invocation.text('file');
  const members = file === null ? invocation.text('members') : membersOf(await readFile(file, 'utf8'), file);
  const joining = invocation.text('add');
  const leaving = invocation.text('remove');
  const { data, stat } = await connection.zk.reconfig(
    {
      ...(joining === null ? {} : { joining }),
      ...(leaving === null ? {} : { leaving }),
      ...(members === null ? {} : { members }),
      ...versionOf(invocation),
    },
    { signal },
  );
  const text = textOf(data ?? new Uint8Array(0)) ?? '';
  const withStat = invocation.has('s');
  await out.result(
    { config: text, stat: withStat ? statJson(stat) : undefined },
    `Committed new configuration:\n${text}${withStat ? `\n${statText(stat)}` : ''}`,
  );
}

function versionOf(invocation: Invocation): { readonly ifConfig?: number } {
  const text = invocation.text('v');
  if (text === null) return {};
  const ifConfig = /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  if (!Number.isSafeInteger(ifConfig)) throw invocation.fail(`-v needs a version in hex, not "${text}"`);
  return { ifConfig };
}

function membersOf(text: string, file: string): string {
  const members = text.split(/\r?\n/).filter((line) => /^\s*server\.\d+\s*=/.test(line));
  if (members.length === 0) throw usageError(`reconfig: ${file} has no line server.N=…`);
  return members.map((line) => line.trim()).join(',');
}
