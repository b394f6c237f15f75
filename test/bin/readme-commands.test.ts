/** What the pages tell people to type exists: each command, and each of its flags. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import yargs from 'yargs';
import { benchCommand } from '../../src/bin/commands/bench.ts';
import { ensembleCommand } from '../../src/bin/commands/ensemble.ts';
import { serveCommand } from '../../src/bin/commands/serve.ts';
import { shellCommand } from '../../src/bin/commands/shell.ts';
import { files, ROOT } from '../support/source-files.ts';

const PAGES = [
  ...files.map(({ path }) => path).filter((path) => path.endsWith('README.md')),
  'README.md',
  'results/README.md',
];

interface Line {
  readonly page: string;
  readonly text: string;
}

/** `npx ringkeeper` and what follows, up to the remark beside it. */
function commandLines(): Line[] {
  return PAGES.flatMap((page) =>
    [
      ...readFileSync(join(ROOT, page), 'utf8').matchAll(/npx ringkeeper (\S[^`|\n#]*?)(?= {2}|[`|\n#])/g),
    ].map(([, text]) => ({
      page,
      text: text!.replaceAll(/[[\]]/g, ''),
    })),
  );
}

async function helpOf(command: string): Promise<string> {
  let help = '';
  await yargs()
    .scriptName('ringkeeper')
    .command(serveCommand)
    .command(benchCommand)
    .command(ensembleCommand)
    .command(shellCommand)
    .exitProcess(false)
    .parseAsync([...command.split(' '), '--help'], {}, (_error: unknown, _flags: unknown, output: string) => {
      help = output;
    });
  return help;
}

/** `bench campaign soak` of `bench campaign soak --minutes 30`. */
function commandOf(text: string): string {
  const words = text.split(' ');
  const depth = words[0] !== 'bench' ? 1 : words[1] === 'campaign' ? 3 : 2;
  const command = words.slice(0, depth);
  const flag = command.findIndex((word) => word.startsWith('-') || word === '...');
  return command.slice(0, flag < 0 ? depth : flag).join(' ');
}

describe('commands in the pages', () => {
  const byCommand = new Map<string, Line[]>();
  for (const line of commandLines()) {
    const command = commandOf(line.text);
    byCommand.set(command, [...(byCommand.get(command) ?? []), line]);
  }

  for (const [command, lines] of byCommand) {
    it(`ringkeeper ${command}, ${lines.length} times`, async () => {
      const help = await helpOf(command);
      // Of a command that is not there, yargs shows the help of the one above it.
      assert.match(help, new RegExp(`^ringkeeper ${command}\\b`), command);
      for (const { page, text } of lines) {
        for (const [flag] of text.matchAll(/(?<= )--?[a-z][\w-]*/g)) {
          if (flag !== '--help')
            assert.match(help, new RegExp(`(^|[\\s,])${flag}\\b`, 'm'), `${page}: ${text}`);
        }
      }
    });
  }

  it('are looked at on many pages', () => {
    assert.ok(byCommand.size >= 12, [...byCommand.keys()].join(', '));
  });
});
