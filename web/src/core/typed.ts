/** What a person has typed and not sent, in the browser, so that no reload loses it. */

const PREFIX = 'anyon.typed.';

export function typed(name: string): string {
  try {
    return localStorage.getItem(PREFIX + name) ?? '';
  } catch {
    return ''; // a browser that stores nothing
  }
}

export function keep(name: string, text: string): void {
  try {
    if (text === '') localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch {
    // A browser that stores nothing, or has no room: the daemon's draft is still there.
  }
}
