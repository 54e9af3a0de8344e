/** The keys of the page: one table, from which the help is written too. */
import type { Stop } from './signal.ts';

export interface Key {
  /** `c`, `Ctrl+k`, `g i`. */
  keys: string;
  does: string;
  run: (event: KeyboardEvent) => void;
  /** Whether it works while one types. */
  typing?: boolean;
}

const SEQUENCE_MS = 1000;
const FIELDS = 'input, textarea, select, [contenteditable]';

export class Keys {
  #known: Key[] = [];
  #begun = '';
  #timer = 0;

  /** All that work now; of the same keys, the last. */
  get all(): Key[] {
    const found = new Map(this.#known.map((key) => [key.keys, key]));
    return [...found.values()];
  }

  add(...keys: Key[]): Stop {
    this.#known.push(...keys);
    return () => {
      this.#known = this.#known.filter((key) => !keys.includes(key));
    };
  }

  listen(): Stop {
    const pressed = (event: KeyboardEvent): void => this.#pressed(event);
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }

  #pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const typing = event.target instanceof Element && event.target.closest(FIELDS) !== null;
    const name = named(event);
    const whole = this.#begun === '' ? name : `${this.#begun} ${name}`;
    clearTimeout(this.#timer);
    this.#begun = '';
    const usable = this.#known.filter((key) => !typing || key.typing === true);
    const found = usable.findLast((key) => key.keys === whole) ?? usable.findLast((key) => key.keys === name);
    if (found !== undefined) {
      event.preventDefault();
      found.run(event);
    } else if (usable.some((key) => key.keys.startsWith(`${name} `))) {
      this.#begun = name;
      this.#timer = window.setTimeout(() => (this.#begun = ''), SEQUENCE_MS);
    }
  }
}

function named(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  const shift = event.shiftKey && event.key.length > 1 ? 'Shift+' : '';
  return `${control}${shift}${event.key.length === 1 && control ? event.key.toLowerCase() : event.key}`;
}

export const keys = new Keys();
