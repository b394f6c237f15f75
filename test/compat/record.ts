/**
 * Records what Apache 3.8.0 does, for the tests that compare ringkeeper with it:
 *
 *     node test/compat/record.ts zkcli    writes zkcli/apache-3.8.0-transcript.txt
 *     node test/compat/record.ts kazoo    writes kazoo/apache-3.8.0-baseline.json, about 90 s
 *
 * and what we mean to do otherwise, for people:
 *
 *     node test/compat/record.ts readme   writes the table of deliberate differences into README.md
 */
import { writeFileSync } from 'node:fs';
import { ApacheServer } from '../support/apache.ts';
import type { ServerOptions, TestServer } from '../support/server.ts';
import { README_FILE, readmeWithTable } from './differential/readme-table.ts';
import { BASELINE_FILE, KAZOO_SERVER } from './kazoo/expectation.ts';
import { runKazoo, TESTS_DIRECTORY } from './kazoo/suite.ts';
import { TRANSCRIPT_FILE, ZKCLI_SERVER, zkCliTranscript } from './zkcli/transcript.ts';

async function withApache(options: ServerOptions, use: (server: TestServer) => Promise<void>): Promise<void> {
  const server = new ApacheServer(options);
  try {
    await server.start();
    await use(server);
  } finally {
    await server.dispose();
  }
}

switch (process.argv[2]) {
  case 'zkcli':
    await withApache(ZKCLI_SERVER, async (server) =>
      writeFileSync(TRANSCRIPT_FILE, await zkCliTranscript(server)),
    );
    break;
  case 'kazoo':
    await withApache({ ...KAZOO_SERVER, sasl: true }, async (server) => {
      const results = await runKazoo(server, [TESTS_DIRECTORY]);
      const outcomes = results.map((result) => [result.id, result.outcome] as const);
      const sorted = Object.fromEntries(outcomes.sort(([a], [b]) => (a < b ? -1 : 1)));
      writeFileSync(BASELINE_FILE, `${JSON.stringify(sorted, null, 2)}\n`);
    });
    break;
  case 'readme':
    writeFileSync(README_FILE, readmeWithTable());
    break;
  default:
    console.error('usage: node test/compat/record.ts zkcli|kazoo|readme');
    process.exitCode = 2;
}
