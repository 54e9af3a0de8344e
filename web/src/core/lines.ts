/** The lines of a text as offsets, and two texts' difference as rows; nothing here knows of a page. */

export const SAME = 0;
export const ADDED = 1;
export const REMOVED = 2;
export const GAP = 3;

/** Rows in threes: kind, old line, new line; of a gap the kind, its first row and how many there are. */
export type Rows = Int32Array<ArrayBuffer>;

export function starts(text: string): Rows {
  const found = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) found.push(at + 1);
  if (found.at(-1) === text.length) found.pop();
  return Int32Array.from(found);
}

export function line(text: string, offsets: Int32Array, number: number): string {
  const end = number + 1 < offsets.length ? offsets[number + 1]! - 1 : text.length;
  return text.slice(offsets[number], text[end - 1] === '\n' ? end - 1 : end);
}

/**
 * The difference of two texts; null is a file that is not there.
 *
 * Equal beginnings and ends are cut off; what is between is compared by Myers' method with a bound,
 * beyond which it counts as replaced.
 */
export function difference(before: string | null, after: string | null): Rows {
  const ids = new Map<string, number>();
  const x = interned(before, ids);
  const y = interned(after, ids);
  const rows: number[] = [];
  let head = 0;
  while (head < x.length && head < y.length && x[head] === y[head]) rows.push(SAME, head, head++);
  let tail = 0;
  const most = Math.min(x.length, y.length) - head;
  while (tail < most && x[x.length - 1 - tail] === y[y.length - 1 - tail]) tail++;
  middle({ x, from: head, to: x.length - tail }, { x: y, from: head, to: y.length - tail }, rows);
  for (let left = tail; left > 0; left--) rows.push(SAME, x.length - left, y.length - left);
  return Int32Array.from(rows);
}

const CONTEXT = 3;

/** The rows with at most three equal ones around each change; the others are gaps. */
export function folded(rows: Int32Array, context = CONTEXT): Rows {
  const count = rows.length / 3;
  const made: number[] = [];
  let at = 0;
  while (at < count) {
    if (rows[at * 3] !== SAME) {
      made.push(rows[at * 3]!, rows[at * 3 + 1]!, rows[at * 3 + 2]!);
      at++;
      continue;
    }
    let end = at;
    while (end < count && rows[end * 3] === SAME) end++;
    const from = at === 0 ? at : Math.min(end, at + context);
    const to = end === count ? end : Math.max(from, end - context);
    const push = (first: number, last: number): void => {
      for (let row = first; row < last; row++) made.push(SAME, rows[row * 3 + 1]!, rows[row * 3 + 2]!);
    };
    if (to - from <= 1) push(at, end);
    else {
      push(at, from);
      made.push(GAP, from, to - from);
      push(to, end);
    }
    at = end;
  }
  return Int32Array.from(made);
}

function interned(text: string | null, ids: Map<string, number>): Int32Array {
  if (text === null) return new Int32Array();
  const offsets = starts(text);
  const made = new Int32Array(offsets.length);
  for (let number = 0; number < offsets.length; number++) {
    const key = line(text, offsets, number);
    let id = ids.get(key);
    if (id === undefined) ids.set(key, (id = ids.size));
    made[number] = id;
  }
  return made;
}

interface Part {
  x: Int32Array;
  from: number;
  to: number;
}

const BOUND = 2000;

function middle(a: Part, b: Part, rows: number[]): void {
  const n = a.to - a.from;
  const m = b.to - b.from;
  if (n === 0 || m === 0) return replaced(a, b, rows);
  const most = Math.min(n + m, BOUND);
  const v = new Int32Array(2 * most + 2);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= most; d++) {
    trace.push(v.slice(most - d, most + d + 1));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && v[most + k - 1]! < v[most + k + 1]!);
      let i = down ? v[most + k + 1]! : v[most + k - 1]! + 1;
      let j = i - k;
      while (i < n && j < m && a.x[a.from + i] === b.x[b.from + j]) {
        i++;
        j++;
      }
      v[most + k] = i;
      if (i >= n && j >= m) return back(trace, d, a, b, rows);
    }
  }
  replaced(a, b, rows);
}

function back(trace: Int32Array[], last: number, a: Part, b: Part, rows: number[]): void {
  const found: [number, number, number][] = [];
  let i = a.to - a.from;
  let j = b.to - b.from;
  for (let d = last; d > 0; d--) {
    const v = trace[d]!;
    const k = i - j;
    const down = k === -d || (k !== d && v[k - 1 + d]! < v[k + 1 + d]!);
    const fromK = down ? k + 1 : k - 1;
    const fromI = v[fromK + d]!;
    const fromJ = fromI - fromK;
    while (i > fromI && j > fromJ) found.push([SAME, a.from + --i, b.from + --j]);
    found.push(down ? [ADDED, -1, b.from + fromJ] : [REMOVED, a.from + fromI, -1]);
    i = fromI;
    j = fromJ;
  }
  while (i > 0 && j > 0) found.push([SAME, a.from + --i, b.from + --j]);
  for (let at = found.length - 1; at >= 0; at--) rows.push(...found[at]!);
}

function replaced(a: Part, b: Part, rows: number[]): void {
  for (let i = a.from; i < a.to; i++) rows.push(REMOVED, i, -1);
  for (let j = b.from; j < b.to; j++) rows.push(ADDED, -1, j);
}
