import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDED, difference, folded, GAP, line, REMOVED, SAME, starts } from '../src/core/lines.ts';

function drawn(before: string | null, after: string | null): string[] {
  const rows = difference(before, after);
  const [x, y] = [starts(before ?? ''), starts(after ?? '')];
  const made: string[] = [];
  for (let at = 0; at < rows.length; at += 3) {
    const [kind, old, now] = [rows[at]!, rows[at + 1]!, rows[at + 2]!];
    if (kind === REMOVED) made.push(`-${line(before!, x, old)}`);
    else made.push(`${kind === ADDED ? '+' : ' '}${line(after!, y, now)}`);
  }
  return made;
}

test('a difference has each line of both texts, in order', () => {
  assert.deepEqual(drawn('a\nb\nc\n', 'a\nx\nc\nd\n'), [' a', '-b', '+x', ' c', '+d']);
  assert.deepEqual(drawn(null, 'one\ntwo'), ['+one', '+two']);
  assert.deepEqual(drawn('one\n', null), ['-one']);
  assert.deepEqual(drawn('', ''), []);
  assert.deepEqual(drawn('same\n', 'same\n'), [' same']);
});

test('it can be undone: the old and the new text come out of random ones', () => {
  let seed = 3;
  const random = (most: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return (seed >> 8) % most;
  };
  for (let turn = 0; turn < 200; turn++) {
    const text = (): string => Array.from({ length: random(30) }, () => `${random(4)}\n`).join('');
    const [before, after] = [text(), text()];
    const rows = drawn(before, after);
    const side = (without: string): string =>
      rows.filter((row) => row[0] !== without).map((row) => `${row.slice(1)}\n`).join('');
    assert.equal(side('+'), before);
    assert.equal(side('-'), after);
  }
});

test('what is far from a change is a gap, which says what it leaves out', () => {
  const before = Array.from({ length: 40 }, (_, n) => `${n}\n`).join('');
  const rows = difference(before, before.replace('20\n', 'twenty\n'));
  const made = folded(rows);
  const kinds = Array.from({ length: made.length / 3 }, (_, at) => made[at * 3]);
  assert.deepEqual(kinds, [GAP, SAME, SAME, SAME, REMOVED, ADDED, SAME, SAME, SAME, GAP]);
  assert.deepEqual([...made.slice(0, 3)], [GAP, 0, 17]);
  assert.deepEqual([...made.slice(-3)], [GAP, 25, 16]);
});
