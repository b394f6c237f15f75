/** A member of an ensemble as a process of its own: `node member/main.ts ZOO_CFG`. `serve` starts none yet; this does it as it will. */
import { readServerConfig } from '../../../../src/server/config/server-config.ts';
import { readZooCfg } from '../../../../src/server/config/zoo-cfg.ts';
import { STDERR_FD, standardOutput } from '../../../../src/server/logging/line-output.ts';
import { createMainLog } from '../../../../src/server/logging/logging.ts';
import { startServer } from '../../../../src/server/server.ts';

const name = process.argv[2]!;
const { config } = readServerConfig({ file: { name, lines: readZooCfg(name) }, overrides: [] });
const log = createMainLog({ level: 'info', pretty: false, output: standardOutput(STDERR_FD) });
const server = await startServer(config, log);
console.log(`ready ${server.port}`);
void server.failed.then((failure) => {
  console.error(failure.message);
  process.exit(failure.exitStatus);
});
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
