/** Values that tell when they change, in the form of Svelte's stores; nothing here knows of a page. */

export type Stop = () => void;

export interface Readable<T> {
  subscribe(run: (value: T) => void): Stop;
}

export class Subject<T> implements Readable<T> {
  #value: T;
  #runs = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const run of [...this.#runs]) run(value);
  }

  subscribe(run: (value: T) => void): Stop {
    this.#runs.add(run);
    run(this.#value);
    return () => this.#runs.delete(run);
  }
}

const HIDDEN_MS = 250;

/** Runs `act` once for all calls until the next frame; while the page is hidden, somewhat later. */
export function onceAFrame(act: () => void): () => void {
  let waiting = false;
  const run = (): void => {
    waiting = false;
    act();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    if (document.hidden) setTimeout(run, HIDDEN_MS);
    else requestAnimationFrame(run);
  };
}
