/** Draws the rows of a long list into elements that are used again, without any framework in the way. */
import type { Range } from './long-list.ts';

export class RowPool {
  #into: HTMLElement;
  #draw: (row: HTMLElement, index: number) => void;
  #height: number;
  #drawn = new Map<number, HTMLElement>();

  /** `draw` fills a row, whatever it was before. */
  constructor(into: HTMLElement, height: number, draw: (row: HTMLElement, index: number) => void) {
    this.#into = into;
    this.#height = height;
    this.#draw = draw;
  }

  show({ start, end }: Range, again = false): void {
    const free: HTMLElement[] = [];
    for (const [index, row] of this.#drawn) {
      if (index < start || index >= end) {
        this.#drawn.delete(index);
        free.push(row);
      } else if (again) this.#draw(row, index);
    }
    for (let index = start; index < end; index++) {
      if (this.#drawn.has(index)) continue;
      const row = free.pop() ?? this.#into.appendChild(document.createElement('div'));
      row.style.setProperty('transform', `translateY(${index * this.#height}px)`);
      this.#draw(row, index);
      this.#drawn.set(index, row);
    }
    for (const row of free) row.remove();
  }
}
