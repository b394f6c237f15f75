/**
 * `ringkeeper bench record`: a proxy between clients and a running service that writes what passes to a file, for
 * `bench replay`. It runs until a signal, which is the normal way to end it.
 */
import { once } from 'node:events';
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { type Address, addressText } from '../base/address.ts';
import { formatBytes, formatCount, plural } from '../figures/format.ts';
import { jsonText } from '../figures/json-text.ts';
import { type RecordingSummary, startRecordingProxy } from '../replay/recording-proxy.ts';
import { parseAddress } from '../target/target-spec.ts';
import { oneText } from '../terminal/flags.ts';
import { Interruption } from '../terminal/interruption.ts';

interface RecordFlags {
  readonly listen: string;
  readonly upstream: string;
  readonly out: string;
  readonly keepCredentials: boolean;
  readonly json: boolean;
}

export const recordCommand: CommandModule<object, RecordFlags> = {
  command: 'record',
  describe: 'Record what clients do with a running service, for replay',
  builder: (args: Argv): Argv<RecordFlags> =>
    args
      .option('listen', {
        ...oneText,
        demandOption: true,
        describe: 'host:port that clients connect to; without a host, on every address; port 0 = any',
      })
      .option('upstream', { ...oneText, demandOption: true, describe: 'host:port,host:port of the service' })
      .option('out', { ...oneText, demandOption: true, describe: 'a new file' })
      .option('keep-credentials', {
        type: 'boolean',
        default: false,
        describe: 'record passwords as they are; without it they are replaced',
      })
      .option('json', { type: 'boolean', default: false, describe: 'the summary as JSON on stdout' })
      .example(
        '$0 bench record --listen 127.0.0.1:2182 --upstream zk1:2181,zk2:2181 --out night.rec',
        '',
      ) as Argv<unknown> as Argv<RecordFlags>,
  handler: record,
};

async function record(flags: RecordFlags): Promise<void> {
  const proxy = await startRecordingProxy({
    listen: listenAddress(flags.listen),
    upstream: flags.upstream.split(',').map((text) => upstreamAddress(text.trim())),
    outFile: flags.out,
    keepCredentials: flags.keepCredentials,
    onFailure: (message) => process.stderr.write(`${message}\n`),
  });
  process.stderr.write(
    `recording ${addressText(proxy.address)} -> ${flags.upstream} in ${flags.out}; Ctrl-C ends it\n`,
  );
  const { signal } = new Interruption('closing connections and file');
  await once(signal, 'abort');
  const summary = await proxy.stop();
  process.stdout.write(flags.json ? jsonText(summary) : summaryText(summary));
  process.exit(summary.failure === null ? 0 : 1);
}

function summaryText({ file, counts, records, recordsLost, fileBytes }: RecordingSummary): string {
  const lost = recordsLost === 0 ? '' : `, ${formatCount(recordsLost)} lost`;
  const malformed =
    counts.malformed === 0 ? '' : `, ${plural(counts.malformed, 'connection')} with a malformed stream`;
  const unreachable = counts.unreachable === 0 ? '' : `, ${counts.unreachable} without a server`;
  return [
    `${plural(counts.connections, 'connection')}${unreachable}, ${plural(counts.requests, 'request')}, `,
    `${plural(counts.events, 'watch event')}${malformed}: ${plural(records, 'record')}${lost}, `,
    `${formatBytes(fileBytes)} in ${file}\n`,
  ].join('');
}

/** Port 0 lets the system choose; `:2191` is that port of every IPv4 address. */
function listenAddress(text: string): Address {
  const full = text.startsWith(':') ? `0.0.0.0${text}` : text;
  const address = parseAddress(full.replace(/:0$/, ':1'));
  if (address === null) throw notAnAddress('--listen', text, 'host:port or :port');
  return full.endsWith(':0') ? { ...address, port: 0 } : address;
}

function upstreamAddress(text: string): Address {
  const address = parseAddress(text);
  if (address === null) throw notAnAddress('--upstream', text, 'host:port');
  return address;
}

function notAnAddress(flag: string, text: string, allowed: string): ConfigFailure {
  return new ConfigFailure(`${flag}: "${text}" - allowed: ${allowed} (ports up to 65535, IPv6 in brackets)`);
}
