/** Requests to the daemon that served this page. */
import type {
  ApiResponse,
  Approval,
  ApprovalAnswer,
  AttemptSummary,
  BranchStatus,
  CreateAndStartTaskRequest,
  CreateFollowUpAttempt,
  CreateProject,
  CreateTask,
  CreateTaskAttemptBody,
  DirectoryEntry,
  DirectoryListResponse,
  Draft,
  ErrorData,
  ExecutionProcess,
  GitBranch,
  MergeStrategy,
  OpenEditorResponse,
  Project,
  QueueDraftRequest,
  Seeing,
  Seen,
  Task,
  TaskAttempt,
  TaskWithAttemptStatus,
  UpdateDraftRequest,
  UpdateTask,
  UserSystemInfo,
} from './types.ts';

/** The daemon said no; the message is its sentence for people. */
export class Refused extends Error {
  readonly status: number;
  readonly problem: ErrorData | null;

  constructor(status: number, message: string, problem: ErrorData | null) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

/** There was no answer: nobody knows whether it has happened. */
export class Unanswered extends Error {
  constructor() {
    super('The daemon does not answer. Nothing that you typed is lost; try again when it is back.');
  }
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const request: RequestInit = { method, headers: { Accept: 'application/json' } };
  if (body !== undefined) {
    request.headers = { ...request.headers, 'Content-Type': 'application/json' };
    request.body = JSON.stringify(body);
  }
  let answer: Response;
  let read: ApiResponse<T>;
  try {
    answer = await fetch(path, request);
    read = (await answer.json()) as ApiResponse<T>;
  } catch {
    throw new Unanswered();
  }
  if (!read.success) throw new Refused(answer.status, read.message, read.error_data);
  return read.data;
}

const get = <T>(path: string): Promise<T> => ask('GET', path);
const post = <T>(path: string, body?: unknown): Promise<T> => ask('POST', path, body ?? {});
const put = <T>(path: string, body: unknown): Promise<T> => ask('PUT', path, body);
const attempt = (id: string, rest = ''): string => `/api/task-attempts/${id}${rest}`;

export const api = {
  info: () => get<UserSystemInfo>('/api/info'),
  projects: () => get<Project[]>('/api/projects'),
  createProject: (body: CreateProject) => post<Project>('/api/projects', body),
  branches: (project: string) => get<GitBranch[]>(`/api/projects/${project}/branches`),
  repositories: () => get<DirectoryEntry[]>('/api/filesystem/git-repos'),
  directory: () => get<DirectoryListResponse>('/api/filesystem/directory'),
  tasks: (project: string) => get<TaskWithAttemptStatus[]>(`/api/tasks?project_id=${project}`),
  createTask: (body: CreateTask) => post<Task>('/api/tasks', body),
  createAndStart: (body: CreateAndStartTaskRequest) =>
    post<TaskWithAttemptStatus>('/api/tasks/create-and-start', body),
  updateTask: (id: string, body: UpdateTask) => put<TaskWithAttemptStatus>(`/api/tasks/${id}`, body),
  summaries: () => get<AttemptSummary[]>('/api/attempt-summaries?closed=true&limit=2000'),
  attempts: (task: string) => get<TaskAttempt[]>(`/api/task-attempts?task_id=${task}`),
  attempt: (id: string) => get<TaskAttempt>(attempt(id)),
  createAttempt: (body: CreateTaskAttemptBody) => post<TaskAttempt>('/api/task-attempts', body),
  followUp: (id: string, body: CreateFollowUpAttempt) =>
    post<ExecutionProcess>(attempt(id, '/follow-up'), body),
  stop: (id: string) => post<null>(attempt(id, '/stop')),
  openEditor: (id: string) => post<OpenEditorResponse>(attempt(id, '/open-editor')),
  markSeen: (id: string, body: Seeing) => put<Seen>(attempt(id, '/seen'), body),
  branchStatus: (id: string) => get<BranchStatus>(attempt(id, '/branch-status')),
  merge: (id: string, strategy: MergeStrategy) => post<null>(attempt(id, '/merge'), { strategy }),
  rebase: (id: string) => post<null>(attempt(id, '/rebase')),
  abortConflicts: (id: string) => post<null>(attempt(id, '/conflicts/abort')),
  push: (id: string) => post<null>(attempt(id, '/push')),
  createPr: (id: string, title: string) => post<string>(attempt(id, '/pr'), { title }),
  draft: (id: string) => get<Draft>(attempt(id, '/draft')),
  saveDraft: (id: string, body: UpdateDraftRequest) => put<Draft>(attempt(id, '/draft'), body),
  queueDraft: (id: string, body: QueueDraftRequest) =>
    post<Draft>(attempt(id, '/draft/queue'), body),
  questions: () => get<Approval[]>('/api/approvals?status=pending'),
  answer: (id: string, status: ApprovalAnswer) =>
    post<unknown>(`/api/approvals/${id}/respond`, { status }),
};

/** Why something did not work, for people. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
