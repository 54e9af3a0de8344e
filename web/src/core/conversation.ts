/** The conversation of an attempt: all its processes and their entries as one list that only grows. */
import { onceAFrame, Subject, type Stop } from './signal.ts';
import { follow } from './stream.ts';
import type { ExecutionProcess, IndexedEntry, ProcessFrame, TodoItem } from './types.ts';

export interface ProcessRow {
  kind: 'process';
  process: string;
}

export interface EntryRow {
  kind: 'entry';
  process: string;
  entry: IndexedEntry;
}

/** The place of an entry that is still to come: a late reader gets entries by their latest change. */
export interface WaitingRow {
  kind: 'waiting';
  process: string;
}

export type Row = ProcessRow | EntryRow | WaitingRow;

export interface Spent {
  input: number;
  output: number;
  /** null: no agent has told it. */
  dollars: number | null;
}

export interface Talk {
  count: number;
  processes: ReadonlyMap<string, ExecutionProcess>;
  /** Whether an agent or a script is at work. */
  running: boolean;
  /** The newest list of what the agent wants to do. */
  todos: TodoItem[];
  spent: Spent;
  /** Entries that wait for an answer, the oldest first. */
  asking: EntryRow[];
  /** Whether all that was there has been read. */
  ready: boolean;
  gone: boolean;
}

interface Section {
  process: string;
  stop: Stop;
  over: boolean;
  /** Entries that wait for the sections before this one. */
  held: IndexedEntry[];
  /** The row of each entry, by index. */
  rows: number[];
}

export class Conversation {
  readonly talk: Subject<Talk>;
  readonly rows: Row[] = [];
  #processes = new Map<string, ExecutionProcess>();
  #sections: Section[] = [];
  #current = 0;
  #usage = new Map<string, IndexedEntry>();
  #asking = new Map<number, EntryRow>();
  #todos: TodoItem[] = [];
  #listed = false;
  #gone = false;
  #stop: Stop;
  #publish = onceAFrame(() => this.talk.set(this.#made()));

  constructor(attempt: string) {
    this.talk = new Subject(this.#made());
    this.#stop = follow<ProcessFrame>({
      path: `/api/execution-processes/stream/ws?task_attempt_id=${attempt}`,
      frames: (frames) => {
        for (const frame of frames) this.#takeProcess(frame);
        this.#publish();
      },
      ended: () => {
        this.#gone = true;
        this.#publish();
      },
    });
  }

  close(): void {
    this.#stop();
    for (const section of this.#sections) section.stop();
  }

  #takeProcess(frame: ProcessFrame): void {
    const found = frame.type === 'snapshot' ? frame.data : [frame.data];
    if (frame.type === 'snapshot') this.#listed = true;
    found.sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
    for (const process of found) {
      const known = this.#processes.has(process.id);
      this.#processes.set(process.id, process);
      if (process.run_reason === 'devserver') continue;
      if (!known) this.#begin(process.id);
    }
    this.#advance();
  }

  #begin(process: string): void {
    const section: Section = { process, stop: () => {}, over: false, held: [], rows: [] };
    this.#sections.push(section);
    section.stop = follow<IndexedEntry>({
      path: `/api/execution-processes/${process}/normalized-logs/ws?batch=true`,
      frames: (entries) => {
        if (this.#sections.indexOf(section) === this.#current) this.#put(section, entries);
        else section.held.push(...entries);
        this.#publish();
      },
      ended: () => {
        section.over = true;
        this.#advance();
        this.#publish();
      },
    });
  }

  /** Puts what is held behind sections that are over. */
  #advance(): void {
    for (;;) {
      const section = this.#sections[this.#current];
      if (section === undefined) return;
      this.#put(section, section.held.splice(0));
      if (!section.over || this.#current + 1 >= this.#sections.length) return;
      this.#current++;
    }
  }

  #put(section: Section, entries: IndexedEntry[]): void {
    if (section.rows.length === 0 && !this.rows.some((row) => row.process === section.process)) {
      this.rows.push({ kind: 'process', process: section.process });
    }
    for (const entry of entries) {
      const row: EntryRow = { kind: 'entry', process: section.process, entry };
      while (section.rows.length <= entry.index) {
        section.rows.push(this.rows.length);
        this.rows.push({ kind: 'waiting', process: section.process });
      }
      const at = section.rows[entry.index]!;
      this.rows[at] = row;
      this.#note(at, row);
    }
  }

  #note(at: number, row: EntryRow): void {
    const type = row.entry.entry_type;
    if (type.type === 'token_usage') this.#usage.set(row.process, row.entry);
    if (type.type !== 'tool_use') return;
    if (type.status.status === 'pending_approval') this.#asking.set(at, row);
    else this.#asking.delete(at);
    if (type.action_type.action === 'todo_management' && row.entry.parent === undefined) {
      this.#todos = type.action_type.todos;
    }
  }

  #made(): Talk {
    const spent: Spent = { input: 0, output: 0, dollars: null };
    for (const { entry_type: type } of this.#usage.values()) {
      if (type.type !== 'token_usage') continue;
      spent.input += type.input_tokens + type.cache_read_tokens + type.cache_write_tokens;
      spent.output += type.output_tokens;
      if (type.cost_usd !== null) spent.dollars = (spent.dollars ?? 0) + type.cost_usd;
    }
    const running = [...this.#processes.values()].some(
      (process) => process.status === 'running' && process.run_reason !== 'devserver',
    );
    return {
      count: this.rows.length,
      processes: new Map(this.#processes),
      running,
      todos: this.#todos,
      spent,
      asking: [...this.#asking.entries()].sort(([a], [b]) => a - b).map(([, row]) => row),
      ready: this.#listed,
      gone: this.#gone,
    };
  }
}
