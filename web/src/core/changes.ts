/** What an attempt has changed: files with their numbers, and one list of rows of those that are open. */
import { GAP, line, SAME, type Rows } from './lines.ts';
import { onceAFrame, Subject, type Stop } from './signal.ts';
import { follow } from './stream.ts';
import type { Compare, Compared } from './diff-worker.ts';
import type { Diff, DiffFrame } from './types.ts';

export interface ChangedFile {
  path: string;
  diff: Diff;
  open: boolean;
  compared: Compared | null;
  turn: number;
  /** What has come since, and is being compared. */
  next: Diff | null;
}

export interface Changed {
  files: ChangedFile[];
  count: number;
  additions: number;
  deletions: number;
  ready: boolean;
}

export type DiffRow =
  | { kind: 'file'; file: ChangedFile }
  | { kind: 'note'; text: string }
  | { kind: 'gap'; file: ChangedFile; first: number; lines: number }
  | { kind: 'line'; change: number; old: number; now: number; text: string };

/** Files of more lines are closed at first. */
const LARGE = 1500;

export class Changes {
  readonly changed: Subject<Changed>;
  #files = new Map<string, ChangedFile>();
  #order: ChangedFile[] = [];
  #firsts: number[] = [];
  #count = 0;
  #ready = false;
  #turn = 0;
  #worker: Worker;
  #stop: Stop;
  #publish = onceAFrame(() => {
    this.#lay();
    this.changed.set(this.#made());
  });

  constructor(attempt: string, worker: Worker) {
    this.changed = new Subject(this.#made());
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Compared>) => {
      const file = this.#files.get(data.path);
      if (file === undefined || file.turn !== data.turn) return;
      file.compared = data;
      file.diff = file.next ?? file.diff;
      file.next = null;
      this.#publish();
    };
    this.#stop = follow<DiffFrame>({
      path: `/api/task-attempts/${attempt}/diff/ws`,
      frames: (frames) => {
        for (const frame of frames) this.#take(frame);
        this.#publish();
      },
    });
  }

  close(): void {
    this.#stop();
    this.#worker.terminate();
  }

  toggle(file: ChangedFile): void {
    file.open = !file.open;
    this.#compare(file);
    this.#publish();
  }

  /** Shows what a gap leaves out. */
  unfold(file: ChangedFile, first: number): void {
    const known = file.compared;
    if (known === null) return;
    const made: number[] = [];
    for (let at = 0; at < known.rows.length; at += 3) {
      const [kind, from, lines] = [known.rows[at]!, known.rows[at + 1]!, known.rows[at + 2]!];
      if (kind !== GAP || from !== first) made.push(kind, from, lines);
      else {
        for (let row = from; row < from + lines; row++) {
          made.push(SAME, known.all[row * 3 + 1]!, known.all[row * 3 + 2]!);
        }
      }
    }
    file.compared = { ...known, rows: Int32Array.from(made) };
    this.#publish();
  }

  /** The row where a file begins. */
  first(path: string): number {
    return this.#firsts[this.#order.findIndex((file) => file.path === path)] ?? 0;
  }

  row(index: number): DiffRow {
    let low = 0;
    let high = this.#firsts.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (this.#firsts[mid]! <= index) low = mid;
      else high = mid - 1;
    }
    const file = this.#order[low]!;
    const at = index - this.#firsts[low]! - 1;
    if (at < 0) return { kind: 'file', file };
    const rows: Rows | undefined = file.compared?.rows;
    if (rows === undefined || rows.length === 0) return { kind: 'note', text: note(file) };
    const [change, old, now] = [rows[at * 3]!, rows[at * 3 + 1]!, rows[at * 3 + 2]!];
    if (change === GAP) return { kind: 'gap', file, first: old, lines: now };
    const known = file.compared!;
    const text =
      now < 0 ? line(file.diff.oldContent ?? '', known.before, old) : line(file.diff.newContent ?? '', known.after, now);
    return { kind: 'line', change, old, now, text };
  }

  #take(frame: DiffFrame): void {
    switch (frame.type) {
      case 'resync':
        this.#files.clear();
        this.#ready = false;
        break;
      case 'ready':
        this.#ready = true;
        break;
      case 'diff_removed':
        this.#files.delete(frame.data.path);
        break;
      case 'diff': {
        const path = frame.data.newPath ?? frame.data.oldPath ?? '';
        const lines = (frame.data.additions ?? 0) + (frame.data.deletions ?? 0);
        const known = this.#files.get(path);
        const turn = ++this.#turn;
        if (known?.compared && known.open && !frame.data.contentOmitted) {
          // What is on screen stays until the new one can be drawn.
          known.next = frame.data;
          known.turn = turn;
          this.#ask(known, frame.data);
        } else {
          const open = known?.open ?? lines <= LARGE;
          const file = { path, diff: frame.data, open, compared: null, turn, next: null };
          this.#files.set(path, file);
          this.#compare(file);
        }
      }
    }
  }

  #compare(file: ChangedFile): void {
    if (!file.open || file.compared !== null || file.diff.contentOmitted) return;
    this.#ask(file, file.diff);
  }

  #ask(file: ChangedFile, diff: Diff): void {
    const request: Compare = {
      path: file.path,
      turn: file.turn,
      before: diff.oldContent,
      after: diff.newContent,
    };
    this.#worker.postMessage(request);
  }

  #lay(): void {
    this.#order = [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    this.#firsts = [];
    this.#count = 0;
    for (const file of this.#order) {
      this.#firsts.push(this.#count);
      const rows = file.compared?.rows.length ?? 0;
      this.#count += 1 + (file.open ? Math.max(1, rows / 3) : 0);
    }
  }

  #made(): Changed {
    const files = this.#order;
    const sum = (of: (diff: Diff) => number | null): number =>
      files.reduce((total, file) => total + (of(file.diff) ?? 0), 0);
    return {
      files,
      count: this.#count,
      additions: sum((diff) => diff.additions),
      deletions: sum((diff) => diff.deletions),
      ready: this.#ready,
    };
  }
}

function note(file: ChangedFile): string {
  if (file.diff.contentOmitted) return 'Binary, or too large to be shown here.';
  if (file.compared === null) return 'Comparing …';
  return file.diff.oldPath !== file.diff.newPath ? 'Moved, and not changed.' : 'No line differs.';
}
