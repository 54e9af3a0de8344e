import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, named, plainOutput, printable } from '../src/core/printable.ts';

test('characters that change how others are shown become visible', () => {
  assert.equal(printable('a\u202eb\u2066c\u0000\u200b'), 'a[U+202E]b[U+2066]c␀[U+200B]');
  assert.equal(printable('tab\tline\nend'), 'tab\tline\nend');
  assert.equal(printable('\u{e0041}x'), '[U+E0041]x');
  assert.equal(printable('日本語 עברית'), '日本語 עברית');
});

test('sequences of terminals are left out, and a progress bar is its last state', () => {
  assert.equal(plainOutput('\u001b[31mred\u001b[0m \u001b]0;title\u0007done'), 'red done');
  assert.equal(plainOutput('10 %\r50 %\r100 %\nready\r\n'), '100 %\nready\n');
});

test('texts are cut with what was left out', () => {
  assert.deepEqual(cut('abcdef', 4), { text: 'abcd', more: 2 });
  assert.deepEqual(cut('abc', 4), { text: 'abc', more: 0 });
  assert.equal(named('`git status`'), 'git status');
});
