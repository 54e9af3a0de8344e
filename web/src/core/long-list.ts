/** Which rows of a long list are drawn, and where; measures them, and holds the view still. */
import { Heights } from './heights.ts';
import type { Stop } from './signal.ts';

const OVERSCAN = 400; // pixels beyond each edge
const AT_END = 24;

export interface Range {
  start: number;
  end: number;
  top: number;
  total: number;
}

interface Options {
  /** The height of a row that was not measured yet; with `fixed`, of each. */
  estimate: number;
  fixed?: boolean;
  /** Whether the view stays at the end if the reader is there. */
  follow?: boolean;
  changed: (range: Range) => void;
  /** Whether the reader is at the end, each time that changes. */
  atEnd?: (atEnd: boolean) => void;
}

export class LongList {
  count = 0;
  range: Range = { start: 0, end: 0, top: 0, total: 0 };
  atEnd = true;
  #heights: Heights | null;
  #row: number;
  #follow: boolean;
  #changed: (range: Range) => void;
  #atEnd: (atEnd: boolean) => void;
  #box: HTMLElement | null = null;
  #view = 0;
  #observer: ResizeObserver | null;

  constructor({ estimate, fixed = false, follow = false, changed, atEnd = () => {} }: Options) {
    this.#heights = fixed ? null : new Heights(estimate);
    this.#row = estimate;
    this.#follow = follow;
    this.#changed = changed;
    this.#atEnd = atEnd;
    this.#observer = fixed ? null : new ResizeObserver((entries) => this.#measured(entries));
  }

  /** `box`: the element that scrolls. */
  attach(box: HTMLElement): Stop {
    this.#box = box;
    this.#view = box.clientHeight;
    const scroll = (): void => {
      this.#setAtEnd(box.scrollTop + this.#view >= this.#total() - AT_END);
      this.update();
    };
    box.addEventListener('scroll', scroll, { passive: true });
    const size = new ResizeObserver(() => {
      this.#view = box.clientHeight;
      this.update();
      this.#stick();
    });
    size.observe(box);
    this.update();
    return () => {
      box.removeEventListener('scroll', scroll);
      size.disconnect();
      this.#observer?.disconnect();
      this.#box = null;
    };
  }

  /** For each row that is drawn; `row.dataset.index` says which. */
  observe(row: HTMLElement): Stop {
    this.#observer?.observe(row);
    return () => this.#observer?.unobserve(row);
  }

  /** Takes another number of rows; one of fixed heights may shrink. */
  resize(count: number): void {
    this.count = count;
    this.#heights?.grow(count);
    this.update();
    this.#stick();
  }

  toEnd(): void {
    this.#setAtEnd(true);
    this.#stick();
  }

  goTo(index: number): void {
    if (this.#box === null) return;
    this.#box.scrollTop = this.#heights ? this.#heights.top(index) : index * this.#row;
    this.update();
  }

  update(): void {
    if (this.#box === null) return;
    const from = Math.max(0, this.#box.scrollTop - OVERSCAN);
    const to = this.#box.scrollTop + this.#view + OVERSCAN;
    const start = this.#heights ? this.#heights.at(from) : Math.floor(from / this.#row);
    const last = this.#heights ? this.#heights.at(to) : Math.ceil(to / this.#row);
    const end = Math.min(this.count, last + 1);
    const begin = Math.min(start, end);
    const top = this.#heights ? this.#heights.top(begin) : begin * this.#row;
    const total = this.#total();
    const old = this.range;
    if (old.start !== begin || old.end !== end || old.top !== top || old.total !== total) {
      this.range = { start: begin, end, top, total };
      this.#changed(this.range);
    }
  }

  #total(): number {
    return this.#heights ? this.#heights.total : this.count * this.#row;
  }

  #setAtEnd(atEnd: boolean): void {
    if (atEnd === this.atEnd) return;
    this.atEnd = atEnd;
    this.#atEnd(atEnd);
  }

  #measured(entries: ResizeObserverEntry[]): void {
    const heights = this.#heights;
    const box = this.#box;
    if (heights === null || box === null) return;
    const first = heights.at(box.scrollTop);
    let above = 0;
    let any = false;
    for (const entry of entries) {
      const index = Number((entry.target as HTMLElement).dataset['index']);
      const height = entry.borderBoxSize[0]?.blockSize ?? 0;
      if (height === 0 || !(index < this.count)) continue;
      const delta = heights.measure(index, height);
      if (delta !== 0) any = true;
      if (index < first) above += delta;
    }
    if (!any) return;
    if (above !== 0 && !(this.#follow && this.atEnd)) box.scrollTop += above;
    this.update();
    this.#stick();
  }

  #stick(): void {
    if (!this.#follow || !this.atEnd) return;
    requestAnimationFrame(() => {
      if (this.atEnd && this.#box !== null) this.#box.scrollTop = this.#total();
    });
  }
}
