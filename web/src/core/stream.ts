/** A stream that has positions: it goes on after the last frame that was seen, however often it breaks. */
import { Subject, type Stop } from './signal.ts';

const FIRST_MS = 100;
const LONGEST_MS = 2000;
const OVER = 1000;

export type Link = 'connecting' | 'open' | 'lost';

export interface Positioned {
  seq?: number;
}

interface Options<F> {
  path: string;
  frames: (frames: F[]) => void;
  ended?: () => void;
  link?: Subject<Link>;
}

/** Follows the WebSocket at `path` until it is over or `Stop` is called. */
export function follow<F extends Positioned>({ path, frames, ended, link }: Options<F>): Stop {
  let after: number | null = null;
  let socket: WebSocket | null = null;
  let over = false;
  let wait = FIRST_MS;
  let timer = 0;

  const take = (text: string): void => {
    const read = JSON.parse(text) as F | F[] | { finished: true };
    if (!Array.isArray(read) && 'finished' in read) {
      over = true;
      return;
    }
    const batch = Array.isArray(read) ? read : [read as F];
    const position = batch.at(-1)?.seq;
    if (position !== undefined) after = position;
    frames(batch);
  };

  const open = (): void => {
    const address = new URL(path, location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    address.hash = '';
    if (after !== null) address.searchParams.set('after', String(after));
    const mine = new WebSocket(address);
    socket = mine;
    mine.onopen = () => {
      wait = FIRST_MS;
      link?.set('open');
    };
    mine.onmessage = (message: MessageEvent<string>) => {
      if (socket === mine) take(message.data);
    };
    mine.onclose = (event) => {
      if (socket !== mine) return;
      if (over || event.code === OVER) {
        over = true;
        ended?.();
        return;
      }
      link?.set('lost');
      timer = window.setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_MS);
    };
  };
  const awake = (): void => {
    // A computer that was asleep should not wait for the next attempt.
    if (!over && socket?.readyState === WebSocket.CLOSED) {
      clearTimeout(timer);
      open();
    }
  };
  open();
  window.addEventListener('online', awake);
  return () => {
    over = true;
    clearTimeout(timer);
    window.removeEventListener('online', awake);
    const last = socket;
    socket = null;
    last?.close(OVER);
  };
}
