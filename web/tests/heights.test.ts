import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heights } from '../src/core/heights.ts';

test('sums and offsets agree with a plain list, however it grows and is measured', () => {
  let seed = 7;
  const random = (most: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % most;
  };
  const heights = new Heights(40);
  const plain: number[] = [];
  for (let step = 0; step < 3000; step++) {
    if (plain.length === 0 || random(3) === 0) {
      const more = 1 + random(5);
      heights.grow(plain.length + more);
      for (let one = 0; one < more; one++) plain.push(40);
    } else {
      const at = random(plain.length);
      const height = 1 + random(200);
      assert.equal(heights.measure(at, height), height - plain[at]!);
      plain[at] = height;
    }
  }
  let top = 0;
  for (const [index, height] of plain.entries()) {
    assert.equal(heights.top(index), top);
    assert.equal(heights.at(top), index);
    assert.equal(heights.at(top + height - 1), index);
    top += height;
  }
  assert.equal(heights.total, top);
  assert.equal(heights.at(top + 1000), plain.length - 1);
});
