/** All projects, tasks, attempts and open questions as the daemon has them: read once, then followed. */
import { api } from './api.ts';
import { onceAFrame, Subject, type Readable, type Stop } from './signal.ts';
import { follow, type Link } from './stream.ts';
import type {
  Approval,
  AttemptSummary,
  EventFrame,
  Project,
  TaskStatus,
  TaskWithAttemptStatus,
} from './types.ts';

export const COLUMNS: { status: TaskStatus; name: string }[] = [
  { status: 'todo', name: 'To do' },
  { status: 'inprogress', name: 'In progress' },
  { status: 'inreview', name: 'In review' },
  { status: 'done', name: 'Done' },
  { status: 'cancelled', name: 'Cancelled' },
];

export interface DeskState {
  /** Whether everything was read at least once. */
  ready: boolean;
  /** Why it could not be read; null if it could. */
  problem: string | null;
  projects: Project[];
  tasks: ReadonlyMap<string, TaskWithAttemptStatus>;
  attempts: ReadonlyMap<string, AttemptSummary>;
  /** The newest attempt of each task. */
  newest: ReadonlyMap<string, AttemptSummary>;
  /** The oldest first. */
  questions: Approval[];
}

const SUMMARIES_MS = 120;
const AGAIN_MS = 1000;

export class Desk implements Readable<DeskState> {
  readonly link = new Subject<Link>('connecting');
  #state: Subject<DeskState>;
  #projects: Project[] = [];
  #tasks = new Map<string, TaskWithAttemptStatus>();
  #attempts = new Map<string, AttemptSummary>();
  #questions = new Map<string, Approval>();
  #ready = false;
  #problem: string | null = null;
  #held: EventFrame[] | null = [];
  #reading = 0;
  #stop: Stop = () => {};
  #publish = onceAFrame(() => this.#state.set(this.#made()));
  #summariesTimer = 0;

  constructor() {
    this.#state = new Subject(this.#made());
  }

  subscribe(run: (state: DeskState) => void): Stop {
    return this.#state.subscribe(run);
  }

  get state(): DeskState {
    return this.#state.value;
  }

  start(): void {
    this.#stop = follow<EventFrame>({
      path: '/api/events/ws',
      link: this.link,
      frames: (frames) => {
        for (const frame of frames) this.#take(frame);
      },
    });
  }

  stop(): void {
    this.#stop();
    clearTimeout(this.#summariesTimer);
  }

  /** Reads everything anew. */
  async read(): Promise<void> {
    const mine = ++this.#reading;
    this.#held ??= [];
    try {
      const [projects, attempts, questions] = await Promise.all([
        api.projects(),
        api.summaries(),
        api.questions(),
      ]);
      const lists = await Promise.all(projects.map((project) => api.tasks(project.id)));
      if (mine !== this.#reading) return;
      this.#projects = projects;
      this.#tasks = new Map(lists.flat().map((task) => [task.id, task]));
      this.#setAttempts(attempts);
      this.#questions = new Map(questions.map((question) => [question.id, question]));
      this.#ready = true;
      this.#problem = null;
      const held = this.#held;
      this.#held = null;
      // What was read may be newer than some of these; the last of each record is true.
      for (const frame of held) this.#apply(frame);
      if (held.length > 0) this.#summariesSoon();
    } catch (error) {
      if (mine !== this.#reading) return;
      this.#problem = error instanceof Error ? error.message : String(error);
      setTimeout(() => mine === this.#reading && void this.read(), AGAIN_MS);
    }
    this.#publish();
  }

  /** A task as it will be, until the daemon says how it is. */
  assume(task: TaskWithAttemptStatus): void {
    this.#tasks.set(task.id, task);
    this.#publish();
  }

  #take(frame: EventFrame): void {
    if (frame.type === 'begin') {
      this.#held = [];
      void this.read();
    } else if (this.#held !== null) this.#held.push(frame);
    else {
      this.#apply(frame);
      this.#summariesSoon();
      this.#publish();
    }
  }

  #apply(frame: EventFrame): void {
    switch (frame.type) {
      case 'task_created':
      case 'task_updated':
        this.#tasks.set(frame.data.id, frame.data);
        if (!this.#projects.some((project) => project.id === frame.data.project_id)) {
          void this.#readProjects();
        }
        break;
      case 'task_deleted':
        this.#tasks.delete(frame.data.id);
        break;
      case 'approval_requested':
        this.#questions.set(frame.data.id, frame.data);
        break;
      case 'approval_resolved':
        this.#questions.delete(frame.data.id);
        break;
      default: // what happens to attempts is in their summaries
    }
  }

  async #readProjects(): Promise<void> {
    this.#projects = await api.projects().catch(() => this.#projects);
    this.#publish();
  }

  #summariesSoon(): void {
    if (this.#summariesTimer !== 0) return;
    this.#summariesTimer = window.setTimeout(async () => {
      this.#summariesTimer = 0;
      const found = await api.summaries().catch(() => null); // the next event tries again
      if (found !== null) this.#setAttempts(found);
      this.#publish();
    }, SUMMARIES_MS);
  }

  #setAttempts(found: AttemptSummary[]): void {
    this.#attempts = new Map(found.map((summary) => [summary.id, summary]));
  }

  #made(): DeskState {
    const newest = new Map<string, AttemptSummary>();
    for (const summary of this.#attempts.values()) {
      const known = newest.get(summary.task_id);
      if (known === undefined || known.number < summary.number) newest.set(summary.task_id, summary);
    }
    return {
      ready: this.#ready,
      problem: this.#problem,
      projects: this.#projects,
      tasks: new Map(this.#tasks),
      attempts: this.#attempts,
      newest,
      questions: [...this.#questions.values()].sort((a, b) =>
        a.created_at < b.created_at ? -1 : 1,
      ),
    };
  }
}
