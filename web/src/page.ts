/** What all screens of the page share: the desk, the messages at its foot, the clock, the dialogs. */
import { Desk } from './core/desk.ts';
import { reason } from './core/api.ts';
import { Subject } from './core/signal.ts';
import type { AttemptSummary } from './core/types.ts';

export const desk = new Desk();

export interface Toast {
  id: number;
  text: string;
  failed: boolean;
  undo: (() => void) | null;
}

const TOAST_MS = 10_000;
let last = 0;
export const toasts = new Subject<Toast[]>([]);

export function tell(text: string, { failed = false, undo = null as (() => void) | null } = {}): void {
  const toast = { id: ++last, text, failed, undo };
  toasts.set([...toasts.value, toast]);
  setTimeout(() => forget(toast), TOAST_MS);
}

export function forget(toast: Toast): void {
  toasts.set(toasts.value.filter((other) => other !== toast));
}

/** Waits for `work`, and says so if it failed; the result is null then. */
export async function tried<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    tell(reason(error), { failed: true });
    return null;
  }
}

const MINUTE_MS = 30_000;
export const clock = new Subject(Date.now());
setInterval(() => {
  if (!document.hidden) clock.set(Date.now());
}, MINUTE_MS);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) clock.set(Date.now());
});

export type Dialog = { name: 'new'; text: string } | { name: 'help' } | null;
export const dialog = new Subject<Dialog>(null);

export const STATES: Record<AttemptSummary['state'], { sign: string; name: string }> = {
  running: { sign: '◐', name: 'running' },
  question: { sign: '?', name: 'asks' },
  finished: { sign: '●', name: 'finished' },
  failed: { sign: '✕', name: 'failed' },
  stopped: { sign: '■', name: 'stopped' },
  merged: { sign: '✓', name: 'merged' },
  new: { sign: '○', name: 'new' },
};
