/** A firing in slices, against the same in one piece. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventType } from '../../../src/core/watch/watch-firing.ts';
import { WatchMode } from '../../../src/core/watch/watch-rows.ts';
import { Driver } from './driver.ts';

const { nodeDataChanged, nodeChildrenChanged } = EventType;
const { standardData, standardChild, persistent, recursive } = WatchMode;

test('a firing that is cut anywhere tells the same connections in the same order, but for those that go meanwhile', () => {
  const paths = ['/', '/a', '/a/b'];
  const modes = [standardData, standardChild, persistent, recursive];
  const watch = fc.tuple(fc.nat(12), fc.constantFrom(...paths), fc.constantFrom(...modes));
  const fire = fc.constantFrom('data', 'child', 'deleted', 'deleted and child');
  const cut = fc.record({ rows: fc.integer({ min: 1, max: 4 }), gone: fc.option(fc.nat(12)) });
  const fires = (w: Driver, what: string): string[] => {
    if (what === 'data') return w.data(nodeDataChanged, '/a/b');
    if (what === 'child') return w.child(nodeChildrenChanged, '/a');
    const heard = w.deleted('/a/b');
    return what === 'deleted' ? heard : [...heard, ...w.child(nodeChildrenChanged, '/a')];
  };
  fc.assert(
    fc.property(fc.array(watch, { maxLength: 40 }), fire, fc.array(cut), (watches, what, cuts) => {
      const [whole, sliced] = [new Driver(), new Driver()];
      for (const [conn, path, mode] of watches) {
        whole.add(conn, path, mode);
        sliced.add(conn, path, mode);
      }
      const gone = new Set<number>();
      const expected = fires(whole, what);
      sliced.table.firing.allow(1);
      const heard = fires(sliced, what);
      for (let at = 0; sliced.table.firing.isUnfinished; at++) {
        const { rows, gone: goes } = cuts[at] ?? { rows: 1, gone: null };
        if (goes !== null) {
          sliced.table.removeConnection(goes);
          whole.table.removeConnection(goes);
          gone.add(goes);
        }
        const before = sliced.table.firing.met;
        heard.push(...sliced.goOn(rows));
        assert.ok(sliced.table.firing.met - before <= rows);
      }
      const stays = (told: string): boolean => !gone.has(Number.parseInt(told, 10));
      assert.deepEqual(heard.filter(stays), expected.filter(stays));
      assert.ok(heard.every((told) => stays(told) || expected.includes(told)));
      sliced.table.firing.allow(Number.POSITIVE_INFINITY);
      assert.deepEqual(fires(sliced, 'deleted and child'), fires(whole, 'deleted and child'));
      assert.equal(sliced.table.watchCount, whole.table.watchCount);
    }),
  );
});
