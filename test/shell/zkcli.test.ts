/**
 * Our shell beside Apache's: the script of `test/compat/zkcli` gives the same transcript as zkCli 3.8.0 did, on both servers,
 * but for what `OURS` lists; and a zkCli that runs now, on the same server, answers the same questions alike.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { commandNamed } from '../../src/shell/commands/table.ts';
import {
  inputOf,
  normalise,
  scriptCommands,
  TRANSCRIPT_FILE,
  ZKCLI_SERVER,
  zkCliTranscript,
} from '../compat/zkcli/transcript.ts';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { joinedShell } from './support/joined.ts';

process.env['TZ'] = 'UTC';

/** What our shell says otherwise, on purpose: the command of the script, and its lines. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'create bad': ['create: path "bad" does not begin with /'],
  'create /z//double': ['create: path "/z//double" has an empty name in it'],
  'create /z/trailing/': ['create: path "/z/trailing/" ends with /'],
  'create /z/../up': ['create: path "/z/../up" is relative'],
  'create -e -c /z/both': ['create: -c cannot be combined with -s or -e: a container is neither'],
  'create -t 0 /z/zero-ttl': ['create: -t is 1 to 1099511627775 ms, not 0'],
  'removewatches -d /z/never': ['No such watcher for /z/never'],
  'reconfig -remove 2': ['reconfig /zookeeper/config: UNIMPLEMENTED, operation not supported by this server'],
  'ls -Q /': ['ls: unknown flag -Q; usage: ls [-s] [-w] [-R] path'],
  'deleteall /z/deep': ['deleteall: /z/deep and 2 znodes below it'],
  // Apache's gives up where it may not list; ours deletes what may be deleted.
  'deleteall /z': ['deleteall: /z and 13 znodes below it'],
};

/** Events that tell nothing of a znode are Apache's alone. */
const NO_EVENT = /type:(?:None|PersistentWatchRemoved) /;

/** What zkCli 3.8.0 lists as `help`. */
const HELP = `addWatch [-m mode] path
addauth scheme auth
close
config [-c] [-w] [-s]
connect host:port
create [-s] [-e] [-c] [-t ttl] path [data] [acl]
delete [-v version] path
deleteall path [-b batch size]
delquota [-n|-b|-N|-B] path
get [-s] [-w] path
getAcl [-s] path
getAllChildrenNumber path
getEphemerals path
history
listquota path
ls [-s] [-w] [-R] path
printwatches on|off
quit
reconfig [-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3]] | [-add server] [-remove serverId]
redo cmdno
removewatches path [-c|-d|-a] [-l]
set [-s] [-v version] path data
setAcl [-s] [-v version] [-R] path acl
setquota -n|-b|-N|-B val path
stat [-w] path
sync path
version
whoami`;

interface Section {
  readonly command: string;
  readonly lines: readonly string[];
}

function sectionsOf(transcript: string): { readonly sections: Section[]; readonly events: string[] } {
  const [body = '', tail = ''] = transcript.split('\n\nWatch events:\n');
  const sections = body.split(/^> /m).slice(1);
  return {
    sections: sections.map((text) => {
      const [command = '', ...lines] = text.split('\n');
      return { command, lines: lines.filter((line) => line !== '') };
    }),
    events: tail.split('\n').filter((line) => line !== '' && !NO_EVENT.test(line)),
  };
}

it('has every command of zkCli, with every flag', () => {
  for (const line of HELP.split('\n')) {
    const [name = ''] = line.split(' ');
    const { flags } = commandNamed(name);
    const known = new Set(flags.flatMap((flag) => [flag.name, flag.alias ?? flag.name]));
    for (const [, flag = ''] of line.matchAll(/(?<![\w:])-(\w+)/g))
      assert.ok(known.has(flag), `${name} -${flag}`);
  }
});

for (const [name, make, missing] of [
  ['ringkeeper', () => new RingkeeperServer(ZKCLI_SERVER), needRingkeeper()],
  ['Apache 3.8.0', () => new ApacheServer(ZKCLI_SERVER), need('java', 'zookeeper')],
] as const) {
  it(`the script of zkCli shows the same on ${name}`, { skip: missing }, async (context) => {
    const server = make();
    context.after(() => server.dispose());
    await server.start();
    const commands = scriptCommands();
    const ours = sectionsOf(normalise(commands, await joinedShell(server.address, inputOf(commands))));
    const apache = sectionsOf(readFileSync(TRANSCRIPT_FILE, 'utf8'));
    const end = commands.indexOf('deleteall /z');
    assert.ok(end > 100);
    for (const [i, section] of ours.sections.entries()) {
      const lines = OURS[section.command] ?? apache.sections[i]!.lines;
      // Behind it the trees are not the same any more.
      if (i <= end) assert.deepEqual(section.lines, lines, section.command);
    }
    assert.deepEqual(ours.events, apache.events);
  });
}

/** Apache's lists a znode's children before what lies below them; ours each subtree as a whole. */
function inOrder({ command, lines }: Section): readonly string[] {
  return command.startsWith('ls -R') ? lines.toSorted() : lines;
}

describe('zkCli and our shell on one server', { skip: need('java', 'zookeeper') }, () => {
  const QUESTIONS = [
    ...['ls /', 'ls -s /q', 'ls -R /', 'get /q', 'get -s /q/t', 'stat /q/e', 'getAcl -s /q', 'listquota /q'],
    ...['listquota /q/t', 'getAllChildrenNumber /', 'get /zookeeper/quota/q/zookeeper_limits', 'sync /q'],
    ...['printwatches', 'printwatches off', 'printwatches', 'delquota -N /q', 'delquota /q', 'delquota /q'],
    ...['ls /q watch', 'get /q/t 1', 'stat /q 1', 'create /old', 'delete /old 0'],
    ...['get /q/none', 'set -v 7 /q x', 'setquota -n 1 /q/none', 'getEphemerals /', 'ls -Q /', 'config'],
  ];

  it('answer alike', async (context) => {
    const server = new ApacheServer(ZKCLI_SERVER);
    context.after(() => server.dispose());
    await server.start();
    const setUp = [
      ...['create /q', 'create /q/t "two words"', 'create -c /q/c', 'create -t 100000 /q/e x'],
      ...['setquota -n 100 /q', 'setquota -B 1 /q', 'setquota -N 7 /q', 'setquota -n 5 /q/t'],
    ];
    const made = await joinedShell(server.address, setUp.join('\n'));
    assert.match(made, /the bytes quota you create is less than the existing bytes:10/);
    assert.match(made, /\/q\/t has a parent \/q which has a quota\n$/);
    const ours = sectionsOf(normalise(QUESTIONS, await joinedShell(server.address, inputOf(QUESTIONS))));
    // What was taken away is put back for Apache's turn.
    await joinedShell(server.address, 'setquota -n 100 -B 1 -N 7 /q');
    const apache = sectionsOf(await zkCliTranscript(server, QUESTIONS));
    for (const [i, section] of ours.sections.entries()) {
      const theirs = { ...section, lines: OURS[section.command] ?? apache.sections[i]!.lines };
      assert.deepEqual(inOrder(section), inOrder(theirs), section.command);
    }
  });
});
