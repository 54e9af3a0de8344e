/** Compares files beside the page. */
import { difference, folded, starts, type Rows } from './lines.ts';

export interface Compare {
  path: string;
  turn: number;
  before: string | null;
  after: string | null;
}

export interface Compared {
  path: string;
  turn: number;
  all: Rows;
  rows: Rows;
  before: Rows;
  after: Rows;
}

addEventListener('message', ({ data }: MessageEvent<Compare>) => {
  const all = difference(data.before, data.after);
  const answer: Compared = {
    path: data.path,
    turn: data.turn,
    all,
    rows: folded(all),
    before: starts(data.before ?? ''),
    after: starts(data.after ?? ''),
  };
  postMessage(answer, {
    transfer: [all.buffer, answer.rows.buffer, answer.before.buffer, answer.after.buffer],
  });
});
