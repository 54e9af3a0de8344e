/** What agents and files say, so that no character of it changes how the rest is shown. */

// Overrides and isolates of direction, marks without width, and controls that are neither tab nor line end.
const ODD =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu;
// Sequences of terminals: colours, movements, titles of windows.
const ESCAPES =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[@-Z\\-_])/g;

/** The text with odd characters made visible. */
export function printable(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(ODD, (odd) => {
    const code = odd.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
  });
}

/** The text of a terminal without its sequences; of lines that were written over, the last. */
export function plainOutput(text: string): string {
  const lines = text.replace(ESCAPES, '').replace(/\r\n/g, '\n').split('\n');
  return printable(lines.map((line) => line.slice(line.lastIndexOf('\r', line.length - 2) + 1)).join('\n'));
}

export interface Cut {
  text: string;
  /** How many characters were left out. */
  more: number;
}

/** At most `most` characters of a text. */
export function cut(text: string, most: number): Cut {
  return text.length <= most
    ? { text, more: 0 }
    : { text: text.slice(0, most), more: text.length - most };
}

/** `2 h`: how long ago a time of the daemon was. */
export function ago(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  if (seconds < 60) return 'now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A number of bytes or characters, short. */
export function amount(count: number): string {
  if (count < 1000) return String(count);
  if (count < 1_000_000) return `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)} k`;
  return `${(count / 1_000_000).toFixed(1)} M`;
}

/** The name of a tool, without the marks of Markdown that some agents put around it. */
export function named(tool: string): string {
  return printable(tool.replace(/^`+|`+$/g, ''));
}

/** `1 file`, `2 files`. */
export function many(count: number, one: string): string {
  return `${count} ${count === 1 ? one : `${one}s`}`;
}
