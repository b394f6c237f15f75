/** MembershipGuard: when a server votes by its configuration file, and when not, over restarts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CorruptionFailure } from '../../../src/base/failure.ts';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { MembershipGuard } from '../../../src/server/ensemble/membership-guard.ts';
import type { Log } from '../../../src/server/logging/logging.ts';
import { saveWhole } from '../../../src/storage/whole-file.ts';
import { MemoryDisk } from '../../storage/support/memory-disk.ts';

const DIRS = { snapshotDirectory: '/d', logDirectory: '/d', initializeMarker: '/d/initialize' };
const LINES = ['server.1=a:1:2', 'server.2=b:1:2', 'server.3=c:1:2'];

const config = (lines: readonly string[], version = 0) =>
  parseQuorumConfig([...lines, `version=${version.toString(16)}`].join('\n'));

/** A server with a disk, started with a file. */
function server() {
  const disk = new MemoryDisk();
  disk.makeDirectory(DIRS.snapshotDirectory);
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const log = { info: say, warn: say, error: say, debug: say } as unknown as Log;
  const start = (file = config(LINES)) => new MembershipGuard(1, file, disk, DIRS, log);
  return { disk, said, start };
}

const [two, moved, another] = [
  LINES.slice(0, 2),
  ['server.1=a:1:2', 'server.2=b:1:2', 'server.3=elsewhere:1:2'],
  ['server.1=a:1:2', 'server.2=b:1:2', 'server.4=d:1:2'],
];

describe('MembershipGuard', () => {
  it('takes the vote for other voters and for voters elsewhere, not for what no quorum depends on', () => {
    for (const [lines, version, hasVote] of [
      [two, 9, false],
      [moved, 9, false],
      [another, 9, false],
      [[...LINES, 'group.1=1:2', 'group.2=3'], 9, false],
      [[...LINES, 'server.4=d:1:2:observer'], 9, true],
      [LINES.map((line) => `${line};2181`), 9, true],
      // Of a server whose file differs, where nothing can be reconfigured.
      [two, 0, true],
    ] as const) {
      const guard = server().start();
      guard.onInForce(config(lines, version));
      assert.equal(guard.hasVote, hasVote, lines.join(' '));
    }
  });

  it('remembers a proposal over a restart, whatever the file says then, until a leader tells', () => {
    const { start } = server();
    start().onProposed(config(two, 9));
    assert.equal(start().hasVote, false);
    assert.equal(start(config(two)).hasVote, false, 'nobody knows whether it counts');
    const guard = start();
    guard.onInForce(config(LINES, 5));
    assert.equal(guard.hasVote, true, 'it did not');
    assert.equal(start().hasVote, true);
  });

  it('remembers what is in force until the file has it, or a newer one, and says each once', () => {
    const { start, said } = server();
    const guard = start();
    guard.onProposed(config(two, 9));
    for (let i = 0; i < 3; i++) guard.onInForce(config(two, 9));
    assert.deepEqual(
      said.map((text) => text.slice(0, 42)),
      [
        'a change of the members of the ensemble was'.slice(0, 42),
        'the members of the ensemble are others than'.slice(0, 42),
      ],
    );
    guard.onProposed(config(LINES, 11));
    assert.equal(guard.hasVote, false, 'a proposal gives no vote back');
    assert.equal(start().hasVote, false);
    assert.equal(start(config(another)).hasVote, false, 'neither the old nor the new');
    assert.equal(start(config(two)).hasVote, true);
    assert.equal(start().hasVote, true, 'it is forgotten');
    guard.onInForce(config(another, 12));
    assert.equal(start(config(LINES, 13)).hasVote, true);
  });

  it('does not begin with a mark that cannot be read', () => {
    for (const text of ['', 'in force\nserver.1=nonsense', 'perhaps\nserver.1=a:1:2']) {
      const { disk, start } = server();
      saveWhole(disk, DIRS.snapshotDirectory, 'ringkeeper.membership', text);
      assert.throws(() => start(), CorruptionFailure);
    }
  });
});
