/** `ringkeeper bench report DIR`: the files for people again, from what a run saved. */
import type { Argv, CommandModule } from 'yargs';
import { plural } from '../figures/format.ts';
import { jsonText } from '../figures/json-text.ts';
import { regenerate } from '../report/regenerate.ts';

interface ReportFlags {
  readonly dir: string;
  readonly json: boolean;
}

export const reportCommand: CommandModule<object, ReportFlags> = {
  command: 'report <dir>',
  describe: 'Make summary, charts and tables again from saved figures',
  builder: (args: Argv): Argv<ReportFlags> =>
    args
      .positional('dir', { type: 'string', demandOption: true, describe: 'of one result, or of many' })
      .option('json', { type: 'boolean', default: false, describe: 'what was written, as JSON on stdout' }),
  handler: ({ dir, json }) => {
    const made = regenerate(dir);
    const lines = [...made.files, `${made.kind}: ${plural(made.files.length, 'file')} written`];
    process.stdout.write(json ? jsonText(made) : `${lines.join('\n')}\n`);
  },
};
