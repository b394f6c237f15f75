/**
 * Commands about the session and the shell itself: Apache's `addauth`, `whoami`, `connect`, `close`, `history`, `redo`,
 * `version`, `quit`.
 */
import type { Context } from '../command/context.ts';
import { usageError } from '../command/failure.ts';
import type { Invocation } from '../command/invocation.ts';
import type { CommandSpec } from '../command/spec.ts';
import { idText } from '../command/stat-text.ts';

/** What `history` shows. */
const HISTORY_SHOWN = 10;

export const sessionCommands: readonly CommandSpec[] = [
  {
    name: 'addauth',
    group: 'Session',
    help: 'Prove an identity: addauth digest user:password',
    positionals: [
      { name: 'scheme', kind: 'text' },
      { name: 'auth', kind: 'text', optional: true },
    ],
    flags: [],
    isSecret: true,
    run: addAuth,
  },
  {
    name: 'whoami',
    group: 'Session',
    help: 'List the identities of this session',
    positionals: [],
    flags: [],
    run: whoAmI,
  },
  {
    name: 'session',
    group: 'Session',
    help: 'Tell about this session: server, id, state',
    positionals: [],
    flags: [],
    run: session,
  },
  {
    name: 'connect',
    group: 'Session',
    help: 'End this session and open another one, by default at the same servers',
    positionals: [{ name: 'servers', kind: 'servers', optional: true }],
    flags: [],
    isLocal: true,
    run: (invocation, { connection, signal }) =>
      connection.connect(invocation.wordOr(0, connection.servers), signal),
  },
  {
    name: 'close',
    group: 'Session',
    help: 'End this session; the shell goes on',
    positionals: [],
    flags: [],
    isLocal: true,
    run: (_, { connection }) => connection.close(),
  },
  {
    name: 'history',
    group: 'Session',
    help: 'Show the last commands with their numbers',
    positionals: [],
    flags: [],
    isLocal: true,
    run: history,
  },
  {
    name: 'redo',
    group: 'Session',
    help: 'Run the command of that number again',
    positionals: [{ name: 'number', kind: 'text' }],
    flags: [],
    isLocal: true,
    run: redo,
  },
  {
    name: 'version',
    group: 'Session',
    help: 'Print the version of this shell',
    positionals: [],
    flags: [],
    isLocal: true,
    run: (_, { out, version }) => out.result({ version }, `ringkeeper shell ${version}`),
  },
  {
    name: 'quit',
    aliases: ['exit'],
    group: 'Session',
    help: 'Leave the shell',
    positionals: [],
    flags: [],
    isLocal: true,
    run: (_, { quit }) => quit(),
  },
];

async function addAuth(invocation: Invocation, { connection, out }: Context): Promise<void> {
  const scheme = invocation.word(0);
  await connection.addAuth({ scheme, auth: new TextEncoder().encode(invocation.wordOr(1, '')) });
  await out.result({ scheme, added: true }, '');
}

async function whoAmI(_: Invocation, { connection, out, signal }: Context): Promise<void> {
  const clients = await connection.zk.whoAmI({ signal });
  const lines = clients.map(({ scheme, user }) => `${scheme}: ${user}`);
  await out.result(
    { identities: clients.map(({ scheme, user }) => ({ scheme, user })) },
    ['Auth scheme: User', ...lines].join('\n'),
  );
}

async function session(_: Invocation, { connection, out }: Context): Promise<void> {
  const { zk, servers } = connection;
  const facts = { servers, server: zk.server, state: zk.state, sessionId: idText(zk.sessionId) };
  await out.result(
    facts,
    `servers ${servers}\nserver ${zk.server ?? 'none'}\nstate ${zk.state}\nsession ${facts.sessionId}`,
  );
}

async function history(_: Invocation, { history, out }: Context): Promise<void> {
  for (let number = Math.max(0, history.present - HISTORY_SHOWN); number <= history.present; number++) {
    const command = history.line(number);
    if (command !== null) await out.result({ number, command }, `${number} - ${command}`);
  }
}

async function redo(invocation: Invocation, { history, execute }: Context): Promise<void> {
  const text = invocation.word(0);
  const line = /^\d+$/.test(text) && Number(text) < history.present ? history.line(Number(text)) : null;
  if (line === null) throw usageError(`redo: there is no command ${text}; history lists the last ones`);
  if (/^\s*redo\b/.test(line)) throw usageError('redo: a redo is not done again');
  await execute(line);
}
