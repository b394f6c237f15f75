import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { runServerProcess, type ServerHandle } from '../../src/bin/commands/server-process.ts';
import type { Log } from '../../src/server/logging/logging.ts';

const errors: string[] = [];
const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: (text) => void errors.push(text) };
const print = (line: string): void => {
  output += line;
};
const never = new Promise<never>(() => {});
let stopped = 0;
let output = '';

function handle(changes: Partial<ServerHandle> = {}): ServerHandle {
  return {
    port: 2181,
    mode: 'shared',
    isMember: false,
    failed: never,
    stop: async () => {
      stopped++;
    },
    ...changes,
  };
}

function listeners(): number {
  return process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
}

describe('the process around a server', () => {
  beforeEach(() => {
    errors.length = 0;
    stopped = 0;
    output = '';
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops in order on ${signal}, however often it comes`, async () => {
      const before = listeners();
      const status = await runServerProcess(
        async () => {
          setImmediate(() => {
            process.emit(signal, signal);
            process.emit(signal, signal);
          });
          return handle();
        },
        log,
        print,
      );
      assert.equal(status, 0);
      assert.equal(stopped, 1);
      assert.equal(output, `ready port=2181 mode=standalone threading=shared pid=${process.pid}\n`);
      assert.equal(listeners(), before);
    });
  }

  it('ends with the status of a failure, without stopping what is gone', async () => {
    const failed = Promise.resolve({ message: 'fdatasync failed', exitStatus: 10 });
    assert.equal(await runServerProcess(async () => handle({ failed }), log, print), 10);
    assert.equal(stopped, 0);
    assert.deepEqual(errors, ['fdatasync failed']);
  });

  it('does not say ready after a signal during the start', async () => {
    const status = await runServerProcess(
      async () => {
        process.emit('SIGTERM', 'SIGTERM');
        return handle();
      },
      log,
      print,
    );
    assert.equal(status, 0);
    assert.equal(stopped, 1);
    assert.equal(output, '');
  });

  it('passes a failed start on', async () => {
    const before = listeners();
    await assert.rejects(
      runServerProcess(() => Promise.reject(new Error('port in use')), log, print),
      /port in use/,
    );
    assert.equal(listeners(), before);
  });
});
