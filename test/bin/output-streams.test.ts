/**
 * Streams that take nothing: a full file system, a reader that has gone or stopped, a terminal that was closed. The server
 * goes on serving, ends in order when it is asked to, and says how many lines were lost once one gets through again.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { LineOutput } from '../../src/server/logging/line-output.ts';
import { createMainLog } from '../../src/server/logging/logging.ts';
import { until } from '../support/until.ts';
import { LAUNCHER, type ShellServer, ShellWorkspace } from './support/shell-server.ts';

let workspace: ShellWorkspace;
before(() => {
  workspace = new ShellWorkspace();
});
after(() => workspace.dispose());

/** Each write rolls the log and asks for a snapshot, which is a line at least. */
const TALKATIVE = '--set snapCount=2 --set forceSync=no';

describe('a server whose stream', () => {
  const noFull = existsSync('/dev/full') ? false : 'no /dev/full';
  it('is on a full file system goes on', { skip: noFull }, async () => {
    const server = await workspace.start(`${LAUNCHER} SERVE 2>/dev/full; echo status $? >&2`, {
      flags: TALKATIVE,
    });
    await server.write(50, 1);
    await server.stop();
    await server.closed;
    assert.equal(server.stderr, 'status 0\n');
  });

  it('has a reader that has gone goes on', async () => {
    const line = `${LAUNCHER} SERVE 2> >(head -c 1 >/dev/null); echo status $? >&2`;
    const server = await workspace.start(line, { flags: TALKATIVE });
    await server.write(50, 1);
    await server.stop();
    await server.closed;
    assert.equal(server.stderr, 'status 0\n');
  });

  it('has a reader that has stopped goes on, and says afterwards what was lost', async () => {
    const server = await workspace.start(`exec ${LAUNCHER} SERVE`, { flags: TALKATIVE });
    server.shell.stderr!.pause();
    // What the pipe, this process and the server keep, and far more.
    await server.write(4000, 1);
    assert.equal(server.isAlive, true);
    server.shell.stderr!.resume();
    await until(async () =>
      /"lines":\d+,"reason":"its reader has stopped","msg":"log lines were lost"/.test(server.stderr),
    );
    for (const line of server.stderr.trimEnd().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
    await server.stop();
    await server.closed;
    assert.match(server.stderr, /SIGTERM: stopping/);
  });

  it('cannot take the ready line says so and goes on', { skip: noFull }, async () => {
    const flags = ['--data-dir', join(workspace.directory, 'mute'), '--client-port', '0'];
    const full = openSync('/dev/full', 'w');
    const server = spawn(process.execPath, [LAUNCHER, 'serve', ...flags], {
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    for await (const line of createInterface(server.stderr!)) {
      if (line.includes('the ready line could not be written')) server.kill('SIGTERM');
    }
    assert.equal(server.exitCode ?? (await once(server, 'exit'))[0], 0);
  });
});

describe('a terminal that was closed', () => {
  const noScript = spawnSync('bash', ['-c', 'command -v script']).status === 0 ? false : 'no script(1)';

  /** A server in a terminal of its own, which is closed then. */
  async function closeTerminalOf(prefix: string): Promise<ShellServer> {
    const file = join(workspace.directory, `stdout-${prefix.split(' ')[0]}`);
    const line = `exec script -qc '${prefix} ${LAUNCHER} SERVE >${file}' /dev/null`;
    const server = await workspace.start(line, { flags: TALKATIVE, readyFile: file });
    server.shell.kill('SIGKILL');
    return server;
  }

  it('ends a server in order', { skip: noScript }, async () => {
    const server = await closeTerminalOf('');
    await until(async () => !server.isAlive);
    // A clean stop leaves nothing to repair: the lock is free and the next start finds everything.
    assert.deepEqual(
      readdirSync(join(server.dataDir, 'version-2')).filter((name) => name.startsWith('tmp.')),
      [],
    );
  });

  for (const prefix of ['nohup', 'setsid --wait']) {
    it(`changes nothing for ${prefix}`, { skip: noScript }, async () => {
      const server = await closeTerminalOf(prefix);
      await once(server.shell, 'exit');
      // While a snapshot is being written none begins, so how many writes it takes is not known.
      await until(async () => {
        await server.write(50, 1);
        return (await server.metric('ringkeeper_snapshot_count')) > 2;
      });
      await server.stop();
    });
  }
});

describe('lines', () => {
  interface Stream {
    readonly taken: string[];
    /** How many bytes it takes at once; or the error that it gives. */
    state: number | string;
  }

  function logTo(stream: Stream): { output: LineOutput; warn: (text: string) => void } {
    const output = new LineOutput((bytes) => {
      if (typeof stream.state === 'string') throw Object.assign(new Error('no'), { code: stream.state });
      const part = bytes.subarray(0, stream.state);
      stream.taken.push(Buffer.from(part).toString());
      return part.length;
    });
    const log = createMainLog({ level: 'info', pretty: false, output });
    return { output, warn: (text) => log.warn(text) };
  }

  function messages(stream: Stream): string[] {
    return stream.taken
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { msg, lines, reason } = JSON.parse(line);
        return lines === undefined ? msg : `${msg}: ${lines} ${reason}`;
      });
  }

  it('that were lost are counted, and told with the first that gets through', () => {
    const stream: Stream = { taken: [], state: Infinity };
    const { warn } = logTo(stream);
    warn('1');
    stream.state = 'ENOSPC';
    warn('2');
    warn('3');
    warn('4');
    stream.state = Infinity;
    warn('5');
    warn('6');
    assert.deepEqual(messages(stream), ['1', '5', 'log lines were lost: 3 ENOSPC', '6']);
  });

  it('that the stream cut do not spoil the next one', () => {
    const stream: Stream = { taken: [], state: 20 };
    const { output } = logTo(stream);
    const write = LineOutput.prototype.write.bind(output);
    let calls = 0;
    const take = stream.taken.push.bind(stream.taken);
    stream.taken.push = (...texts) => {
      if (++calls === 1) stream.state = 'ENOSPC';
      return take(...texts);
    };
    assert.equal(write(`${'x'.repeat(30)}\n`), false);
    stream.state = Infinity;
    assert.equal(write('whole\n'), true);
    assert.match(stream.taken.join(''), /^x{20}\nwhole\n\{.*lost/);
  });

  it('wait for a slow reader in order, up to a bound', () => {
    const stream: Stream = { taken: [], state: 'EAGAIN' };
    const { output, warn } = logTo(stream);
    const count = 2000;
    for (let i = 0; i < count; i++) warn(String(i));
    stream.state = 100;
    warn('last');
    output.close(0);
    const told = messages(stream);
    const kept = told.filter((text) => /^\d+$/.test(text));
    assert.deepEqual(
      kept,
      kept.map((_, i) => String(i)),
    );
    assert.ok(kept.length > 500 && kept.length < count, `${kept.length} kept`);
    assert.deepEqual(told.slice(kept.length), [
      'last',
      `log lines were lost: ${count - kept.length} its reader has stopped`,
    ]);
  });
});
