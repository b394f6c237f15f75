/** changedConfig: what a client asks of the membership, and what Apache answers to it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { changedConfig, type ReconfigWish } from '../../../src/core/quorum/reconfig.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';

const LINES = [1, 2, 3].map((sid) => `server.${sid}=h${sid}:1:2:participant;h${sid}:3`);
const CURRENT = parseQuorumConfig(LINES.join('\n'));
const NOTHING: ReconfigWish = { joining: null, leaving: null, members: null };

function changed(wish: Partial<ReconfigWish>, standaloneEnabled = true, current = CURRENT): string | number {
  const config = changedConfig({ ...NOTHING, ...wish }, current, 0x2a, standaloneEnabled);
  return typeof config === 'number' ? config : config.text;
}

const text = (...lines: readonly string[]): string => [...lines, 'version=2a'].join('\n');

describe('changedConfig', () => {
  it('removes, then adds and replaces', () => {
    const four = 'server.4=h4:1:2:observer;h4:3';
    assert.equal(changed({ leaving: ' 3 ,9,' }), text(...LINES.slice(0, 2)));
    assert.equal(changed({ joining: four }), text(...LINES, four));
    assert.equal(
      changed({ joining: 'server.4=h3:1:2:observer;h3:3', leaving: '3' }),
      text(...LINES.slice(0, 2), 'server.4=h3:1:2:observer;h3:3'),
    );
    assert.equal(
      changed({ joining: 'server.3 = h3:1:2:observer;3' }),
      text(...LINES.slice(0, 2), 'server.3=h3:1:2:observer;0.0.0.0:3'),
    );
    assert.equal(changed({}), text(...LINES));
  });

  it('takes a membership as a whole, with groups too', () => {
    const groups = ['group.1=1:2:3', 'weight.1=1', 'weight.2=1', 'weight.3=1'];
    assert.equal(changed({ members: [...LINES, ...groups].join() }), text(...LINES, ...groups));
    assert.equal(changed({ members: `${LINES.join('\n')}\nversion=7` }), text(...LINES));
  });

  it('refuses with the errors of Apache', () => {
    const joining = (line: string): number | string => changed({ joining: line });
    for (const line of [
      'server.4',
      'server.4=h4:1:2',
      'server.4=h4:1;3',
      'server.4=h4:1:2:leader;3',
      'server.4=h4:1:2;3=x',
      'server.4=h3:2:1;3',
      'server.4=h4:1:2;h1:3',
    ])
      assert.equal(joining(line), ErrorCode.badArguments, line);
    assert.equal(joining('server.x=h4:1:2;3'), ErrorCode.marshallingError);
    assert.equal(changed({ leaving: 'server.1' }), ErrorCode.marshallingError);
    assert.equal(changed({ members: 'server.1=nonsense' }), ErrorCode.badArguments);
    assert.equal(changed({ members: `${LINES.join()},tickTime=1` }), ErrorCode.badArguments);
    assert.equal(changed({ leaving: '1,2' }), ErrorCode.badArguments);
    assert.equal(changed({ leaving: '1,2' }, false), text(LINES[2]!));
    assert.equal(changed({ leaving: '1,2,3' }, false), ErrorCode.badArguments);
    const hierarchical = parseQuorumConfig([...LINES, 'group.1=1:2:3'].join('\n'));
    assert.equal(changed({ leaving: '3' }, true, hierarchical), ErrorCode.badArguments);
  });
});
