// The types of Anyon's API. Written by `make types`; do not edit.

export type JsonValue =
  | number
  | string
  | boolean
  | null
  | Array<JsonValue>
  | { [key: string]: JsonValue };

/** What every answer is wrapped in. */
export type ApiResponse<T, E = ErrorData> =
  | { success: true; data: T; error_data: null; message: null }
  | { success: false; data: null; error_data: E | null; message: string };

/** The programs that git may run from now on. */
export type AcceptGitPrograms = {
  /** Of what the person has seen; if there is something else by now, it is refused. */
  digest?: string | null;
  /** Whether all that runs change from now on is accepted, too; null leaves that. */
  always?: boolean | null;
};

/** The sign-in was refused at GitHub. */
export type AccessDeniedProblem = {
  type: "access_denied";
  message: string;
};

/** An agent of the Agent Client Protocol that the executor ACP knows by its name. */
export type AcpAgent = {
  /** The value of the option `agent` of a variant. */
  id: string;
  name: string;
  /** Its program is in the PATH of the daemon. */
  available: boolean;
  /** Where. */
  path: string | null;
  /** What is started. */
  command: Array<string>;
  /** One sentence that tells how to get it. */
  install: string;
  /** Where its makers tell about it; "" if that is not known. */
  website: string;
  /** That it has said it offers when it was at work last, for the option `mode`. */
  modes: Array<Choice>;
  /** The same for the option `model`. */
  models: Array<Choice>;
  /** How many it offers besides. */
  more: number;
};

export type ActionType =
  | FileReadAction
  | FileEditAction
  | CommandRunAction
  | SearchAction
  | WebFetchAction
  | ToolAction
  | TaskCreateAction
  | PlanPresentationAction
  | TodoManagementAction
  | OtherAction;

/** The question was answered differently before. */
export type AlreadyDecidedProblem = {
  type: "already_decided";
  message: string;
  status: ApprovalStatusKind;
};

/** A question of an agent, and what became of it. */
export type Approval = {
  id: string;
  execution_process_id: string;
  task_attempt_id: string;
  call: string;
  tool_name: string;
  tool_input: JsonValue;
  status: ApprovalStatusKind;
  reason: string | null;
  answers: { [key: string]: JsonValue } | null;
  created_at: string;
  timeout_at: string;
  responded_at: string | null;
};

/** The decision of a person. `answers` (question -> answer) is for questions of an agent. */
export type ApprovalAnswer = {
  status: ApprovalStatusKind;
  reason?: string | null;
  answers?: { [key: string]: JsonValue } | null;
  /** How far a yes reaches; null is `once`. */
  scope?: ApprovalScope | null;
  /** What it reaches; null is `same` for a command, else `tool`. */
  match?: RuleMatch | null;
};

export type ApprovalRequested = {
  type: "approval_requested";
  data: Approval;
  seq: number;
};

export type ApprovalResolved = {
  type: "approval_resolved";
  data: Approval;
  seq: number;
};

/** Body of an answer to a question; what else clients send with it is not needed. */
export type ApprovalResponse = {
  status: ApprovalAnswer;
};

/** One yes that goes on. */
export type ApprovalRule = {
  id: string;
  /** `turn`, `attempt` or `project`. */
  scope: ApprovalScope;
  match: RuleMatch;
  project_id: string;
  task_attempt_id: string | null;
  execution_process_id: string | null;
  tool_name: string;
  /** The very input that is allowed; null if `match` is `tool`. */
  tool_input: JsonValue;
  /** How many questions it has answered. */
  uses: number;
  created_at: string;
};

/** The reach of a yes. `once`: this question. `turn`: until this run is over. `attempt`: for all runs of this attempt. `project`: for all attempts in this project. */
export type ApprovalScope = "once" | "turn" | "attempt" | "project";

/** The decision on an approval request; `reason` and `answers` only if there are any. */
export type ApprovalStatus = {
  status: ApprovalStatusKind;
  reason?: string;
  answers?: { [key: string]: JsonValue };
};

export type ApprovalStatusKind = "pending" | "approved" | "denied" | "timed_out";

/** Body of putting something away, or taking it back. */
export type Archiving = {
  /** Null is as true. */
  archived?: boolean | null;
};

export type AssistantMessageEntry = {
  type: "assistant_message";
};

/** The pull request of an attempt, and whether it has one. */
export type AttachPrResponse = {
  pr_attached: boolean;
  pr_url: string | null;
  pr_number: number | null;
  pr_status: string | null;
};

export type AttemptCreated = {
  type: "attempt_created";
  data: TaskAttempt;
  seq: number;
};

/** An attempt that was put away, or taken back. */
export type AttemptPlace = {
  task_attempt_id: string;
  archived_at: string | null;
};

/** The state of an attempt, in one word for people. `question`: the agent waits for an answer. `running`: something is at work. `failed`, `stopped`: how the last run ended. `merged`: its work is in the target branch. `finished`: the last run ended well. `new`: nothing has run yet. */
export type AttemptState = "question" | "running" | "failed" | "stopped" | "merged" | "finished" | "new";

/** An attempt with what people know it by. */
export type AttemptSummary = {
  /** Counts all attempts of this data directory; it is never given twice. */
  number: number;
  id: string;
  task_id: string;
  project_id: string;
  project_name: string;
  /** Of its task. */
  title: string;
  task_status: TaskStatus;
  state: AttemptState;
  /** When it came into its state. */
  since: string;
  executor: string;
  branch: string;
  target_branch: string;
  container_ref: string | null;
  worktree_deleted: boolean;
  /** The beginning of what the agent said last; null if it said nothing yet. */
  last_message: string | null;
  /** How many wait for an answer. */
  questions: number;
  created_at: string;
  /** Whether it, or its task, was put away. */
  archived: boolean;
  /** Whether a run has ended, or a question was asked, since a person looked. */
  unseen: boolean;
  /** Of its runs that are over, as far as agents told it; null if none did. */
  cost_usd: number | null;
  /** In and out, of the same. */
  tokens: number | null;
};

export type AttemptUpdated = {
  type: "attempt_updated";
  data: TaskAttempt;
  seq: number;
};

/** The availability of an agent on this machine, in its default variant. */
export type Availability = {
  /** Its program is there. */
  available: boolean;
  /** Where. */
  path: string | null;
  /** As the program tells it; null while that is not known. */
  version: string | null;
  /** One sentence if it is not there, or does not tell its version. */
  problem: string | null;
};

/** An ability of an agent besides a first turn; STEER is ours to add. */
export type BaseAgentCapability = "SESSION_FORK" | "SETUP_HELPER" | "STEER";

/** The names of the agents, as the API spells them. */
export type BaseCodingAgent = "CLAUDE_CODE" | "AMP" | "GEMINI" | "CODEX" | "OPENCODE" | "CURSOR_AGENT" | "QWEN_CODE" | "COPILOT" | "DROID" | "ACP" | "DEMO";

/** A token can be given no more than its maker has; `field` says of what. */
export type BeyondOwnScopeProblem = {
  type: "beyond_own_scope";
  field: string;
  message: string;
};

export type BoardFrame =
  | BoardSnapshot
  | BoardTaskUpdated
  | TaskDeleted;

/** All tasks; the first message, unless the stream goes on after a position. */
export type BoardSnapshot = {
  type: "snapshot";
  data: Array<BoardTask>;
  seq: number;
};

/** A task with its place on the board. */
export type BoardTask = {
  id: string;
  project_id: string;
  title: string;
  description: string | null;
  status: TaskStatus;
  parent_task_attempt: string | null;
  created_at: string;
  updated_at: string;
  has_in_progress_attempt: boolean;
  has_merged_attempt: boolean;
  last_attempt_failed: boolean;
  executor: string;
  /** The order within a column: compared as text. Between two there is always room for another. "" is that nobody has put it anywhere: these come first, the newest first. */
  rank: string;
  priority: Priority;
  labels: Array<string>;
  /** When a person has put it away; null if it is not. */
  archived_at: string | null;
  /** How many questions of its agents wait for an answer. */
  questions: number;
  /** Whether a run has ended, or a question was asked, since a person looked. */
  unseen: boolean;
};

/** A task as it is now; one that was not there before is new. */
export type BoardTaskUpdated = {
  type: "board_task_updated";
  data: BoardTask;
  seq: number;
};

/** Another worktree has the branch checked out. */
export type BranchCheckedOutProblem = {
  type: "branch_checked_out";
  message: string;
};

/** The branch was moved elsewhere, and uncommitted changes are in the way. */
export type BranchMovedProblem = {
  type: "branch_moved";
  message: string;
};

/** The status of an attempt compared with its target. */
export type BranchStatus = {
  commits_ahead: number;
  commits_behind: number;
  has_uncommitted_changes: boolean;
  head_oid: string | null;
  uncommitted_count: number;
  untracked_count: number;
  target_branch_name: string;
  remote_commits_ahead: number;
  remote_commits_behind: number;
  merges: Array<Merge>;
  is_rebase_in_progress: boolean;
  conflict_op: string | null;
  conflicted_files: Array<string>;
  /** The fields that could not be found out, each with the reason; they say 0, false or null, which means nothing then. */
  unknown: { [key: string]: string };
};

/** The agent's own file cannot be read. */
export type BrokenConfigProblem = {
  type: "broken_config";
  message: string;
  path: string;
};

/** Body of one action for many tasks: `place`, `start` or `stop`. */
export type Bulk = {
  task_ids: Array<string>;
  place?: PlacingMany | null;
  start?: StartingMany | null;
  /** Stop all that runs in their attempts. */
  stop?: boolean | null;
};

/** The outcome for one task. */
export type BulkOutcome = {
  task_id: string;
  /** As it is now; null if it is not there. */
  task: BoardTask | null;
  /** The attempts that were stopped or started. */
  attempt_ids: Array<string>;
  /** Why nothing was done; null if it was. */
  refusal: BulkRefusal | null;
};

/** The refusal that one task would have got alone. */
export type BulkRefusal = {
  status: number;
  type: string | null;
  message: string;
};

/** Something is at work in the attempt. Stop it first, or queue a draft. */
export type BusyProblem = {
  type: "busy";
  message: string;
};

/** The files that differ, by their paths. */
export type ChangeList = {
  /** The commit that they are compared with; null is nothing at all. */
  base: string | null;
  /** The commit that is compared; null is the worktree as it is, uncommitted files too. */
  head: string | null;
  files: Array<ChangedFile>;
  additions: number;
  deletions: number;
};

export type ChangeTargetBranchRequest = {
  new_target_branch: string;
};

/** `status` is how many commits the attempt has that its target lacks, and the reverse. */
export type ChangeTargetBranchResponse = {
  new_target_branch: string;
  status: [number, number];
};

/** One file that differs. */
export type ChangedFile = {
  /** Added, deleted, modified, renamed, copied, permissionChange. */
  change: string;
  /** Where it was and is; of a deleted file, both where it was. */
  old_path: string | null;
  /** Where it was and is; of a deleted file, both where it was. */
  path: string;
  /** Lines; 0 if it is binary. */
  additions: number;
  /** Lines; 0 if it is binary. */
  deletions: number;
  binary: boolean;
  /** Whether it is another repository, of which only the commit counts. */
  submodule: boolean;
  /** Stands for its content now; another content has another one. "" if it is deleted. */
  version: string;
};

/** Somebody else keeps writing that file. */
export type ChangedMeanwhileProblem = {
  type: "changed_meanwhile";
  message: string;
};

/** A cherry-pick waits to be finished or aborted. */
export type CherryPickInProgressProblem = {
  type: "cherry_pick_in_progress";
  message: string;
};

/** One mode or model. */
export type Choice = {
  /** The value of the option `mode` or `model` of a variant. */
  id: string;
  /** As people know it; the id if the agent tells no other. */
  name: string;
  /** In the agent's words; "" if it tells none. */
  description: string;
};

/** No OAuth app is configured to sign in with. */
export type ClientIdMissingProblem = {
  type: "client_id_missing";
  message: string;
};

export type CodingAgentFollowUpRequest = {
  type: "CodingAgentFollowUpRequest";
  prompt: string;
  session_id: string;
  executor_profile_id: ExecutorProfileId;
};

export type CodingAgentInitialRequest = {
  type: "CodingAgentInitialRequest";
  prompt: string;
  executor_profile_id: ExecutorProfileId;
};

export type CommandExitCode = {
  type: "exit_code";
  code: number;
};

export type CommandExitStatus =
  | CommandExitCode
  | CommandSuccess;

export type CommandRunAction = {
  action: "command_run";
  command: string;
  result: CommandRunResult | null;
};

export type CommandRunResult = {
  exit_status: CommandExitStatus | null;
  output: string | null;
};

export type CommandSuccess = {
  type: "success";
  success: boolean;
};

/** Body of a comment's update. */
export type CommentPatch = {
  body: string;
};

/** The state of a comment. `open`: not sent yet. `untouched`: the lines that it is about are there as they were. `changed`: they are not any more. `sent`: it is about no lines. */
export type CommentState = "open" | "sent" | "untouched" | "changed";

/** The relation of a commit to the one that is checked out. */
export type CommitCompareResult = {
  head_oid: string;
  target_oid: string;
  /** The commits that only the given one has. */
  ahead_from_head: number;
  /** The commits that only HEAD has. */
  behind_from_head: number;
  /** Whether one of the two contains the other. */
  is_linear: boolean;
};

export type CommitInfo = {
  sha: string;
  subject: string;
};

/** The body of an automatic commit; `OFF` makes no automatic commits. */
export type CommitMessage = "summary" | "title" | "off";

/** All settings of a person. Unknown keys of the file are kept beside it, not in here. */
export type Config = {
  /** The form of the file. */
  config_version: string;
  /** How a front end looks. */
  theme: ThemeMode;
  /** The agent that a client offers first. */
  executor_profile: ExecutorProfileId;
  /** Whether the warning that agents run commands was seen. */
  disclaimer_acknowledged: boolean;
  /** Whether the introduction was seen. */
  onboarding_acknowledged: boolean;
  /** Whether the offer to sign in to GitHub was seen. */
  github_login_acknowledged: boolean;
  /** Whether the question about statistics was seen. */
  telemetry_acknowledged: boolean;
  notifications: NotificationConfig;
  editor: EditorConfig;
  github: GitHubConfig;
  /** Whether the person allows statistics of use; Anyon makes none. */
  analytics_enabled: boolean | null;
  /** The directory in which `worktrees/` holds new worktrees, absolute; null is the data directory. */
  workspace_dir: string | null;
  /** The version that a client has seen last. */
  last_app_version: string | null;
  /** Whether a client shows what is new. */
  show_release_notes: boolean;
  /** The language of a front end. */
  language: UiLanguage;
  /** What names of new branches begin with, before a slash; "" for none. */
  git_branch_prefix: string;
  showcases: ShowcaseState;
  /** After how many seconds an approval request that nobody has answered expires. */
  approval_timeout_s: number;
  /** After how many seconds without output an entry says that an agent at work is silent; 0 for never. */
  silence_notice_s: number;
  /** How many seconds pass between two looks at open pull requests. */
  pr_poll_interval_s: number;
  /** Whether a new pull request is shown in a browser. */
  pr_open_browser: boolean;
  /** What the message of an automatic commit says: the title of the task with the agent's summary, or alone; `off` makes no automatic commits. */
  commit_message: CommitMessage;
  /** What scripts have of the person's shell: what a new terminal has, what a login shell has, or nothing but the daemon's environment. */
  script_profile: ScriptProfile;
  /** Which submodules a new worktree has: those of the project's checkout, all, or none. */
  submodules: Submodules;
  /** How many days a worktree stays after its task is done or cancelled and nothing ran in it; then it is removed after a snapshot, and comes back from its branch when it is needed. 0 is for ever. */
  worktrees_stay_days: number;
  /** How many days raw logs stay after their task is done or cancelled; conversations stay. 0 is for ever. */
  logs_stay_days: number;
  /** How many bytes of one execution's raw log are kept: its beginning and its newest part. */
  log_limit_bytes: number;
};

/** All settings of a person. Unknown keys of the file are kept beside it, not in here. */
export type ConfigInput = {
  /** The form of the file. */
  config_version?: string;
  /** How a front end looks. */
  theme?: ThemeMode;
  /** The agent that a client offers first. */
  executor_profile?: ExecutorProfileIdInput;
  /** Whether the warning that agents run commands was seen. */
  disclaimer_acknowledged?: boolean;
  /** Whether the introduction was seen. */
  onboarding_acknowledged?: boolean;
  /** Whether the offer to sign in to GitHub was seen. */
  github_login_acknowledged?: boolean;
  /** Whether the question about statistics was seen. */
  telemetry_acknowledged?: boolean;
  notifications?: NotificationConfigInput;
  editor?: EditorConfigInput;
  github?: GitHubConfigInput;
  /** Whether the person allows statistics of use; Anyon makes none. */
  analytics_enabled?: boolean | null;
  /** The directory in which `worktrees/` holds new worktrees, absolute; null is the data directory. */
  workspace_dir?: string | null;
  /** The version that a client has seen last. */
  last_app_version?: string | null;
  /** Whether a client shows what is new. */
  show_release_notes?: boolean;
  /** The language of a front end. */
  language?: UiLanguage;
  /** What names of new branches begin with, before a slash; "" for none. */
  git_branch_prefix?: string;
  showcases?: ShowcaseStateInput;
  /** After how many seconds an approval request that nobody has answered expires. */
  approval_timeout_s?: number;
  /** After how many seconds without output an entry says that an agent at work is silent; 0 for never. */
  silence_notice_s?: number;
  /** How many seconds pass between two looks at open pull requests. */
  pr_poll_interval_s?: number;
  /** Whether a new pull request is shown in a browser. */
  pr_open_browser?: boolean;
  /** What the message of an automatic commit says: the title of the task with the agent's summary, or alone; `off` makes no automatic commits. */
  commit_message?: CommitMessage;
  /** What scripts have of the person's shell: what a new terminal has, what a login shell has, or nothing but the daemon's environment. */
  script_profile?: ScriptProfile;
  /** Which submodules a new worktree has: those of the project's checkout, all, or none. */
  submodules?: Submodules;
  /** How many days a worktree stays after its task is done or cancelled and nothing ran in it; then it is removed after a snapshot, and comes back from its branch when it is needed. 0 is for ever. */
  worktrees_stay_days?: number;
  /** How many days raw logs stay after their task is done or cancelled; conversations stay. 0 is for ever. */
  logs_stay_days?: number;
  /** How many bytes of one execution's raw log are kept: its beginning and its newest part. */
  log_limit_bytes?: number;
};

/** The owner of a worktree. */
export type ContainerInfo = {
  attempt_id: string;
  task_id: string;
  project_id: string;
};

/** One entry of a conversation. */
export type ConversationEntry = {
  /** Counts from 0 through all runs. */
  position: number;
  execution_process_id: string;
  /** As the stream of the run's structured log has them: it goes on after the greatest `seq` of a run. */
  index: number;
  /** As the stream of the run's structured log has them: it goes on after the greatest `seq` of a run. */
  seq: number;
  entry: NormalizedEntry;
};

/** A part of a conversation, in its order. */
export type ConversationPage = {
  entries: Array<ConversationEntry>;
  /** How many entries the whole conversation has by now. */
  total: number;
  /** Sent along, it gives the part before this one; null if there is none. */
  before: number | null;
  /** All runs but dev servers and those that were replaced, the oldest first. */
  runs: Array<ConversationRun>;
};

/** One run in a conversation. */
export type ConversationRun = {
  execution_process_id: string;
  run_reason: ExecutionProcessRunReason;
  status: ExecutionProcessStatus;
  started_at: string;
  /** The position of its first entry. */
  start: number;
  /** How many entries it has by now. */
  count: number;
};

/** Body of a task's creation together with its first attempt. */
export type CreateAndStartTaskRequest = {
  task: CreateTask;
  executor_profile_id: ExecutorProfileIdInput;
  base_branch: string;
};

/** Body of a follow-up, and of a retry when `retry_process_id` is set. */
export type CreateFollowUpAttempt = {
  prompt: string;
  variant?: string | null;
  image_ids?: Array<string> | null;
  retry_process_id?: string | null;
  force_when_dirty?: boolean | null;
  perform_git_reset?: boolean | null;
  /** Say it into the turn that runs, if one does. */
  steer?: boolean | null;
};

/** Body of a pull request's creation; without a target branch it is the attempt's. */
export type CreateGitHubPrRequest = {
  title: string;
  body?: string | null;
  target_branch?: string | null;
};

export type CreateProject = {
  /** A script that is run in a new worktree before its first agent. */
  setup_script?: string | null;
  /** A script that a person starts beside the agents, and that runs until it is stopped. */
  dev_script?: string | null;
  /** A script that is run after an agent that has changed something. */
  cleanup_script?: string | null;
  /** Files that git does not have and that are copied into each new worktree: paths or patterns, separated by commas or lines. */
  copy_files?: string | null;
  /** Variables for its agents, scripts, dev servers and setup helpers; null removes a variable. */
  environment?: { [key: string]: string | null } | null;
  /** Whether what a setup script leaves running lives as long as the attempt. */
  keep_services?: boolean | null;
  name: string;
  git_repo_path: string;
  use_existing_repo: boolean;
};

export type CreateTag = {
  tag_name: string;
  content: string;
};

/** Body of a task's creation. */
export type CreateTask = {
  project_id: string;
  title: string;
  description?: string | null;
  parent_task_attempt?: string | null;
  image_ids?: Array<string> | null;
};

/** Body of an attempt's creation. */
export type CreateTaskAttemptBody = {
  task_id: string;
  executor_profile_id: ExecutorProfileIdInput;
  base_branch: string;
};

/** Announced or running. */
export type CreatedStatus = {
  status: "created";
};

/** A new token: its row, and the token itself, which is not stored and never shown again. */
export type CreatedToken = {
  record: Token;
  token: string;
};

export type DeleteChange = {
  action: "delete";
};

export type DeniedStatus = {
  status: "denied";
  reason: string | null;
};

/** GitHub refuses the sign-in. */
export type DeviceFlowRefusedProblem = {
  type: "device_flow_refused";
  message: string;
  error?: string | null;
};

/** A sign-in that has begun: the person enters the code at the address. */
export type DeviceFlowStartResponse = {
  user_code: string;
  verification_uri: string;
  /** Seconds. */
  expires_in: number;
  /** Seconds between two questions whether it is done. */
  interval: number;
};

/** One file's difference between the merge base and the working tree. */
export type Diff = {
  change: string;
  oldPath: string | null;
  newPath: string | null;
  oldContent: string | null;
  newContent: string | null;
  contentOmitted: boolean;
  additions: number | null;
  deletions: number | null;
};

/** The present difference of a file; it replaces any earlier one of that path. */
export type DiffFound = {
  type: "diff";
  data: Diff;
  seq: number;
};

export type DiffFrame =
  | DiffFound
  | DiffRemoved
  | DiffReady
  | DiffResync;

/** All that differs has been told; changes follow. */
export type DiffReady = {
  type: "ready";
  seq: number;
};

/** A file that differs no longer. */
export type DiffRemoved = {
  type: "diff_removed";
  data: DiffRemovedPath;
  seq: number;
};

export type DiffRemovedPath = {
  path: string;
};

/** Everything is told anew: forget what was said before. */
export type DiffResync = {
  type: "resync";
  seq: number;
};

export type DirectMerge = {
  type: "direct";
  id: string;
  task_attempt_id: string;
  merge_commit: string;
  target_branch_name: string;
  created_at: string;
};

/** One thing in a directory; `last_modified` is in Unix milliseconds. */
export type DirectoryEntry = {
  name: string;
  path: string;
  is_directory: boolean;
  is_git_repo: boolean;
  last_modified: number | null;
};

/** The content of a directory; `truncated` says that there is more than this. */
export type DirectoryListResponse = {
  entries: Array<DirectoryEntry>;
  current_path: string;
  truncated: boolean;
};

/** There are changes that are not committed; `files` names them. */
export type DirtyProblem = {
  type: "dirty";
  message: string;
  files: Array<string>;
};

/** A checkout of the target has local changes that are in the way. */
export type DirtyTargetProblem = {
  type: "dirty_target";
  message: string;
  files: Array<string>;
};

/** One message. What was never written, was sent or was deleted is shown as an empty one. */
export type Draft = {
  id: string;
  task_attempt_id: string;
  draft_type: DraftType;
  /** What a retry starts again from; null in follow-ups. */
  retry_process_id: string | null;
  prompt: string;
  /** Whether it is sent as soon as the agent is free. */
  queued: boolean;
  /** Whether it is being sent at this moment. */
  sending: boolean;
  variant: string | null;
  image_ids: Array<string>;
  /** Grows with every change; 0 if nothing is kept. */
  version: number;
  created_at: string;
  updated_at: string;
};

export type DraftFrame =
  | DraftSnapshot
  | DraftUpdated;

/** It is queued; take it back to change it. */
export type DraftQueuedProblem = {
  type: "draft_queued";
  message: string;
  draft: Draft;
};

/** All drafts that are kept in the project; the first message, unless the stream goes on. */
export type DraftSnapshot = {
  type: "snapshot";
  data: Array<Draft>;
  seq: number;
};

export type DraftType = "follow_up" | "retry";

export type DraftUpdated = {
  type: "draft_updated";
  data: Draft;
  seq: number;
};

/** The process was already replaced. */
export type DroppedProblem = {
  type: "dropped";
  message: string;
};

/** The repository belongs to somebody else; `message` says how to allow it. */
export type DubiousOwnershipProblem = {
  type: "dubious_ownership";
  message: string;
};

export type EditChange = {
  action: "edit";
  unified_diff: string;
  has_line_numbers: boolean;
};

/** The program that opens a worktree, or a file in it. */
export type EditorConfig = {
  /** Which editor. */
  editor_type: EditorType;
  /** The command line of `CUSTOM`; the path is added to it. */
  custom_command: string | null;
  /** The name of this machine for SSH; editors of the VS Code family are then opened by a link, on the machine of whoever asks. */
  remote_ssh_host: string | null;
  /** The user name that goes with it. */
  remote_ssh_user: string | null;
};

/** The program that opens a worktree, or a file in it. */
export type EditorConfigInput = {
  /** Which editor. */
  editor_type?: EditorType;
  /** The command line of `CUSTOM`; the path is added to it. */
  custom_command?: string | null;
  /** The name of this machine for SSH; editors of the VS Code family are then opened by a link, on the machine of whoever asks. */
  remote_ssh_host?: string | null;
  /** The user name that goes with it. */
  remote_ssh_user?: string | null;
};

export type EditorType = "VS_CODE" | "CURSOR" | "WINDSURF" | "INTELLI_J" | "ZED" | "XCODE" | "CUSTOM";

/** It is blank: there is nothing to send. */
export type EmptyDraftProblem = {
  type: "empty_draft";
  message: string;
  draft: Draft;
};

/** The machine the daemon runs on. */
export type Environment = {
  os_type: string;
  os_version: string;
  os_architecture: string;
  bitness: string;
};

export type ErrorData =
  | InvalidProblem
  | ForbiddenProblem
  | ScopeMissingProblem
  | OutsideProjectsProblem
  | NotForAgentsProblem
  | NotBelowProblem
  | ImpossibleProblem
  | BrokenConfigProblem
  | ChangedMeanwhileProblem
  | NotFoundProblem
  | RateLimitedProblem
  | UnreachableProblem
  | TimedOutProblem
  | RemoteFailedProblem
  | ClientIdMissingProblem
  | DeviceFlowRefusedProblem
  | TokenMissingProblem
  | TokenInvalidProblem
  | InsufficientPermissionsProblem
  | RepoNotFoundOrNoAccessProblem
  | NoDeviceFlowProblem
  | ExpiredTokenProblem
  | AccessDeniedProblem
  | BeyondOwnScopeProblem
  | NoLinkProblem
  | ToolFailedProblem
  | ProgramMissingProblem
  | LockedProblem
  | HookRefusedProblem
  | FilterFailedProblem
  | SigningFailedProblem
  | HeadBrokenProblem
  | GitConfigBrokenProblem
  | RepositoryMissingProblem
  | ObjectsMissingProblem
  | DubiousOwnershipProblem
  | PathTakenProblem
  | GitProgramsChangedProblem
  | BusyProblem
  | NoWorktreeProblem
  | WorktreeElsewhereProblem
  | BranchCheckedOutProblem
  | BranchMovedProblem
  | NameTakenProblem
  | StoppedProblem
  | NotStartedProblem
  | TooManyOpenFilesProblem
  | NoAgentProblem
  | DroppedProblem
  | DirtyProblem
  | RebaseInProgressProblem
  | MergeInProgressProblem
  | CherryPickInProgressProblem
  | RevertInProgressProblem
  | SetupNotSupportedProblem
  | NoDevScriptProblem
  | PullRequestOpenProblem
  | MergeConflictsProblem
  | OffBranchProblem
  | MergeCommitsProblem
  | UnrelatedHistoriesProblem
  | IgnoredFileProblem
  | NothingToMergeProblem
  | DirtyTargetProblem
  | RemoteTargetProblem
  | SubmoduleDirtyProblem
  | SubmoduleNotPushedProblem
  | TargetMovedProblem
  | NoRemoteProblem
  | RejectedProblem
  | GitProgramsWithheldProblem
  | NotOnGithubProblem
  | StaleDraftProblem
  | EmptyDraftProblem
  | DraftQueuedProblem
  | AlreadyDecidedProblem
  | TooLargeProblem
  | UnsupportedImageProblem
  | ImageInUseProblem
  | UnreadableProblem;

export type ErrorMessageEntry = {
  type: "error_message";
  error_type: NormalizedEntryError;
};

export type EventFrame =
  | EventsBegin
  | TaskCreated
  | TaskUpdated
  | TaskDeleted
  | AttemptCreated
  | AttemptUpdated
  | ProcessStarted
  | ProcessCompleted
  | PrStatusChanged
  | ApprovalRequested
  | ApprovalResolved;

/** Records that are read from now on have all that was before; what comes after follows. It comes again where a position is held no longer: read the records again. */
export type EventsBegin = {
  type: "begin";
  seq: number;
};

export type ExecutionProcess = {
  id: string;
  task_attempt_id: string;
  run_reason: ExecutionProcessRunReason;
  executor_action: ExecutorAction;
  before_head_commit: string | null;
  after_head_commit: string | null;
  status: ExecutionProcessStatus;
  exit_code: number | null;
  dropped: boolean;
  started_at: string;
  completed_at: string | null;
  created_at: string;
  updated_at: string;
};

export type ExecutionProcessRunReason = "setupscript" | "cleanupscript" | "codingagent" | "devserver";

export type ExecutionProcessStatus = "running" | "completed" | "failed" | "killed";

/** One link of a chain, and the links that follow it if it succeeds. */
export type ExecutorAction = {
  typ: ExecutorActionType;
  next_action: ExecutorAction | null;
};

export type ExecutorActionType =
  | CodingAgentInitialRequest
  | CodingAgentFollowUpRequest
  | ScriptRequest;

export type ExecutorConfig = { [key: string]: { [key: string]: { [key: string]: JsonValue } } };

/** All variants of all agents; each holds its options under the name of its agent once more. */
export type ExecutorConfigs = {
  executors: { [key: string]: ExecutorConfig };
};

/** An agent in one of its variants; null is `DEFAULT`. */
export type ExecutorProfileId = {
  /** Which agent. */
  executor: BaseCodingAgent;
  /** Which of its variants; null is `DEFAULT`. */
  variant: string | null;
};

/** An agent in one of its variants; null is `DEFAULT`. */
export type ExecutorProfileIdInput = {
  /** Which agent. */
  executor: BaseCodingAgent;
  /** Which of its variants; null is `DEFAULT`. */
  variant?: string | null;
};

/** The code has expired before it was entered. */
export type ExpiredTokenProblem = {
  type: "expired_token";
  message: string;
};

export type FailedStatus = {
  status: "failed";
};

export type FileChange =
  | WriteChange
  | DeleteChange
  | RenameChange
  | EditChange;

/** The hunks of one file, as git makes them. */
export type FileChanges = {
  base: string | null;
  head: string | null;
  path: string;
  /** What git says before the hunks: modes, renames, "Binary files … differ". */
  header: Array<string>;
  hunks: Array<Hunk>;
  /** It has no lines. */
  binary: boolean;
  /** There are more lines than are sent. */
  cut: boolean;
};

export type FileEditAction = {
  action: "file_edit";
  path: string;
  changes: Array<FileChange>;
};

export type FileReadAction = {
  action: "file_read";
  path: string;
};

/** A filter that files go through is not there (`program` was not found) or failed. */
export type FilterFailedProblem = {
  type: "filter_failed";
  message: string;
  filter?: string;
  program?: string;
};

/** The last message of a stream that has an end; the close code after it is 1000. */
export type Finished = {
  finished: true;
};

/** Such a Host or Origin is not let in. */
export type ForbiddenProblem = {
  type: "forbidden";
};

/** The place of a text that was found: `task` is its title or description. */
export type FoundKind = "task" | "message" | "command" | "path";

/** The MCP servers of an agent, and the file in which they are. */
export type GetMcpServerResponse = {
  mcp_config: McpConfig;
  config_path: string;
};

export type GitBranch = {
  name: string;
  is_current: boolean;
  is_remote: boolean;
  last_commit_date: string;
};

/** Git cannot read its configuration; `message` says which file and line. */
export type GitConfigBrokenProblem = {
  type: "git_config_broken";
  message: string;
};

/** Access to GitHub. */
export type GitHubConfig = {
  /** A personal access token; it counts for more than a sign-in. */
  pat: string | null;
  /** The token of a sign-in. */
  oauth_token: string | null;
  /** The account that has signed in. */
  username: string | null;
  /** Its address. */
  primary_email: string | null;
  /** The branch that a pull request goes into, if nothing else says which. */
  default_pr_base: string | null;
};

/** Access to GitHub. */
export type GitHubConfigInput = {
  /** A personal access token; it counts for more than a sign-in. */
  pat?: string | null;
  /** The token of a sign-in. */
  oauth_token?: string | null;
  /** The account that has signed in. */
  username?: string | null;
  /** Its address. */
  primary_email?: string | null;
  /** The branch that a pull request goes into, if nothing else says which. */
  default_pr_base?: string | null;
};

/** Something that decides which programs git runs, and that a run has added or changed. */
export type GitProgram = {
  /** `config <key>`, `hook <path>`, `file <path>` or `info/attributes`. */
  name: string;
  /** What the setting says now; null if it is a file. */
  value: string | null;
  /** Of what it is now. */
  hash: string;
  /** The attempt whose worktree it is in; null if it is in the repository. */
  task_attempt_id: string | null;
};

/** The state of hooks, filters and other programs of a repository: whether git, as Anyon starts it, runs them. */
export type GitPrograms = {
  /** It does not, because a run has changed them and nobody has accepted that. */
  withheld: boolean;
  /** Whatever runs change is accepted. */
  always: boolean;
  /** Of `changes`, to accept just these. */
  digest: string;
  changes: Array<GitProgram>;
  /** The attempt in whose run the change was noticed. */
  task_attempt_id: string | null;
  /** When. */
  since: string | null;
};

/** There is something else by now than what `digest` stands for. */
export type GitProgramsChangedProblem = {
  type: "git_programs_changed";
  message: string;
};

/** It needs what a run has changed of what git runs, and nobody has accepted that. */
export type GitProgramsWithheldProblem = {
  type: "git_programs_withheld";
  message: string;
  project_id: string;
};

/** The HEAD of the repository is missing or damaged; `message` says which file. */
export type HeadBrokenProblem = {
  type: "head_broken";
  message: string;
};

/** `status` is `ok` of a daemon that can answer at all. */
export type Health = {
  status: string;
};

/** A hook of the repository said no; `message` has its words, `hook` its name if that is known. */
export type HookRefusedProblem = {
  type: "hook_refused";
  message: string;
  hook?: string;
};

/** Lines that differ, with some around them. */
export type Hunk = {
  old_start: number;
  old_lines: number;
  new_start: number;
  new_lines: number;
  /** What git names behind the numbers, such as a function. */
  section: string;
  lines: Array<HunkLine>;
};

/** A line of a hunk. */
export type HunkLine = {
  /** ` `, `+` or `-`, as in a patch. */
  kind: string;
  text: string;
  /** Its number before and now, from 1. */
  old: number | null;
  /** Its number before and now, from 1. */
  new: number | null;
  /** It is the last one, and ends without a line feed. */
  no_newline: boolean;
};

/** Git ignores that file, so its deletion is no change. */
export type IgnoredFileProblem = {
  type: "ignored_file";
  message: string;
};

/** Several tasks show it; `force` deletes it. */
export type ImageInUseProblem = {
  type: "image_in_use";
  message: string;
  task_ids: Array<string>;
};

/** A picture that a person has uploaded, once for all tasks that show it. */
export type ImageResponse = {
  id: string;
  /** Where it lies in a worktree, relative to it. */
  file_path: string;
  /** What the person called it. */
  original_name: string;
  mime_type: string;
  size_bytes: number;
  /** `sha256:` and the hash of its bytes in hexadecimal. */
  hash: string;
  created_at: string;
  updated_at: string;
};

/** Well-formed, but there is no such branch, agent or variant. */
export type ImpossibleProblem = {
  type: "impossible";
  field: string;
};

/** One thing that waits for a person; an attempt can have several. */
export type InboxItem = {
  kind: InboxKind;
  /** When it began to wait. */
  since: string;
  attempt: AttemptSummary;
  /** Of a question. */
  approval: Approval | null;
  /** Of a draft. */
  draft: Draft | null;
};

/** The reason why something waits. `question`: an agent asks. `failed`: the last run ended without success, or was lost. `conflict`: a rebase has stopped. `finished`: the last run ended well, and nobody has looked. `draft`: a message was begun, and neither sent nor queued. */
export type InboxKind = "question" | "failed" | "conflict" | "finished" | "draft";

/** All that waits for a person; it replaces what was told before. */
export type InboxSnapshot = {
  type: "snapshot";
  data: Array<InboxItem>;
  seq: number;
};

/** An entry of the conversation; it replaces an earlier one of the same `index`. */
export type IndexedEntry = {
  entry_type: NormalizedEntryType;
  content: string;
  timestamp: string | null;
  metadata: JsonValue;
  parent?: string;
  index: number;
  seq: number;
};

/** The other side does not let this token do it. */
export type InsufficientPermissionsProblem = {
  type: "insufficient_permissions";
  message: string;
};

/** Something is malformed; `field` names it. */
export type InvalidProblem = {
  type: "invalid";
  field: string;
};

export type JsonResult = {
  type: "json";
};

/** An address that lets in one browser, once, and until then. */
export type Link = {
  url: string;
  expires_at: string;
};

/** Another git keeps holding `lock`; nothing was changed. */
export type LockedProblem = {
  type: "locked";
  message: string;
  lock: string;
};

/** A piece of output; whole lines where that is possible. */
export type LogChunk = {
  type: "stderr" | "stdout";
  content: string;
};

/** One operation of a JSON Patch (RFC 6902) on the list of all pieces of output. */
export type LogOperation = {
  op: "add";
  path: string;
  value: LogChunk;
  seq: number;
};

export type MarkdownResult = {
  type: "markdown";
};

/** The MCP servers of an agent, and how it keeps them. */
export type McpConfig = {
  /** By their names, in the agent's own words. */
  servers: { [key: string]: JsonValue };
  /** The keys that lead to them in its file. */
  servers_path: Array<string>;
  /** What a new file of its holds. */
  template: { [key: string]: JsonValue };
  /** Servers to choose from. */
  preconfigured: { [key: string]: JsonValue };
  /** Whether its file is TOML; else it is JSON. */
  is_toml_config: boolean;
};

export type Merge =
  | DirectMerge
  | PrMerge;

/** Merge commits have changed `files` themselves, which a rebase would leave out. */
export type MergeCommitsProblem = {
  type: "merge_commits";
  message: string;
  files: Array<string>;
};

/** The two histories contradict each other in `files`. */
export type MergeConflictsProblem = {
  type: "merge_conflicts";
  message: string;
  op: string;
  files: Array<string>;
};

/** A merge waits to be finished or aborted. */
export type MergeInProgressProblem = {
  type: "merge_in_progress";
  message: string;
};

export type MergeStrategy = "merge" | "squash" | "rebase";

/** Body of a merge, which may be left out. */
export type MergeTaskAttemptRequest = {
  strategy?: MergeStrategy | null;
};

/** Another one has that name. */
export type NameTakenProblem = {
  type: "name_taken";
  message: string;
  tag_id?: string;
};

/** Body of a comment; see `ReviewComment`. */
export type NewComment = {
  body: string;
  path?: string | null;
  side?: Side | null;
  start_line?: number | null;
  end_line?: number | null;
  lines?: string | null;
  anchor?: string | null;
};

/** Body of a link's creation, which may be left out. */
export type NewLink = {
  /** Whether it leads to where clients of vibe-kanban are served. */
  vk?: boolean | null;
};

/** Body of a token's creation; without `expires_in_s` it holds until it is revoked. */
export type NewToken = {
  name: string;
  scopes: Array<Scope>;
  projects?: Array<string> | null;
  expires_in_s?: number | null;
};

/** No agent has run in this attempt yet. */
export type NoAgentProblem = {
  type: "no_agent";
  message: string;
};

/** The project has no dev script. */
export type NoDevScriptProblem = {
  type: "no_dev_script";
  message: string;
};

/** No sign-in has been started. */
export type NoDeviceFlowProblem = {
  type: "no_device_flow";
  message: string;
};

/** Links are made for whoever shows a token, or comes through the Unix socket. */
export type NoLinkProblem = {
  type: "no_link";
  message: string;
};

/** There is nowhere to push to. */
export type NoRemoteProblem = {
  type: "no_remote";
  message: string;
};

/** The attempt has no worktree yet. */
export type NoWorktreeProblem = {
  type: "no_worktree";
  message: string;
};

/** One entry of the conversation. */
export type NormalizedEntry = {
  /** What it is. */
  entry_type: NormalizedEntryType;
  /** The text a person reads. */
  content: string;
  /** When it first appeared; filled in by the conversation. */
  timestamp: string | null;
  /** `{"tool_call_id": …}` for tools, else null. */
  metadata: JsonValue;
  /** For what a sub-agent says and does, the `tool_call_id` in the metadata of the tool entry that started it (additive). A dialogue names that entry by its key instead. */
  parent?: string;
};

export type NormalizedEntryError =
  | SetupRequiredError
  | OtherError;

export type NormalizedEntryType =
  | UserMessageEntry
  | UserFeedbackEntry
  | AssistantMessageEntry
  | ToolUseEntry
  | SystemMessageEntry
  | ErrorMessageEntry
  | ThinkingEntry
  | TokenUsageEntry;

/** Agents write below their own task only: to tasks that were made from their attempt. */
export type NotBelowProblem = {
  type: "not_below";
  message: string;
};

/** An agent, or a script that runs for one, may not do that of its own accord. */
export type NotForAgentsProblem = {
  type: "not_for_agents";
  execution_process_id: string;
  message: string;
};

/** There is no such thing; `what` says which sort. */
export type NotFoundProblem = {
  type: "not_found";
  what: string;
};

/** The remote is not a repository of the configured GitHub. */
export type NotOnGithubProblem = {
  type: "not_on_github";
  message: string;
};

/** Its start failed by a mistake of Anyon's; the log of the process says how. */
export type NotStartedProblem = {
  type: "not_started";
  message: string;
};

/** The target has everything already. */
export type NothingToMergeProblem = {
  type: "nothing_to_merge";
  message: string;
};

/** The means to notify a person that an agent is done. */
export type NotificationConfig = {
  /** Whether a sound is played, unless a person has stopped it. */
  sound_enabled: boolean;
  /** Whether the desktop shows a message. */
  push_enabled: boolean;
  /** Which sound. */
  sound_file: SoundFile;
};

/** The means to notify a person that an agent is done. */
export type NotificationConfigInput = {
  /** Whether a sound is played, unless a person has stopped it. */
  sound_enabled?: boolean;
  /** Whether the desktop shows a message. */
  push_enabled?: boolean;
  /** Which sound. */
  sound_file?: SoundFile;
};

/** A partial clone lacks something that its remote does not give. */
export type ObjectsMissingProblem = {
  type: "objects_missing";
  message: string;
};

/** The worktree has something else checked out than its branch. */
export type OffBranchProblem = {
  type: "off_branch";
  message: string;
};

/** Body of the wish to see something in an editor. */
export type OpenEditorRequest = {
  /** Instead of the one in the settings. */
  editor_type?: EditorType | null;
  /** In the worktree of an attempt, relative to it. */
  file_path?: string | null;
};

/** `url` opens a remote editor; null: the editor was started on this machine. */
export type OpenEditorResponse = {
  url: string | null;
};

export type OtherAction = {
  action: "other";
  description: string;
};

export type OtherError = {
  type: "other";
};

/** The token reaches some projects only, and this is not about one of them. */
export type OutsideProjectsProblem = {
  type: "outside_projects";
  message: string;
};

/** Something else is there, or has it. */
export type PathTakenProblem = {
  type: "path_taken";
  message: string;
  project_id?: string;
};

export type PendingApprovalStatus = {
  status: "pending_approval";
  approval_id: string;
  requested_at: string;
  timeout_at: string;
};

/** Body of a change of a task's place; what is absent or null is kept. */
export type Placing = {
  status?: TaskStatus | null;
  /** "" takes it out of the order by hand. */
  rank?: string | null;
  priority?: Priority | null;
  /** All of them; [] clears. */
  labels?: Array<string> | null;
  archived?: boolean | null;
};

/** A change of the places of many tasks; what is absent or null is kept. */
export type PlacingMany = {
  status?: TaskStatus | null;
  priority?: Priority | null;
  archived?: boolean | null;
  add_labels?: Array<string> | null;
  remove_labels?: Array<string> | null;
};

export type PlanPresentationAction = {
  action: "plan_presentation";
  plan: string;
};

export type PrMerge = {
  type: "pr";
  id: string;
  task_attempt_id: string;
  created_at: string;
  target_branch_name: string;
  pr_info: PullRequestInfo;
};

export type PrStatusChanged = {
  type: "pr_status_changed";
  data: PrMerge;
  seq: number;
};

/** Values that clients of the person remember for all of them, such as views and keys. */
export type Preferences = {
  /** By names that clients choose. In an update, names that are left out stay, and null removes one. */
  values: { [key: string]: JsonValue };
};

export type Priority = "none" | "low" | "medium" | "high" | "urgent";

/** Sent once, when the process has reached a final status. */
export type ProcessCompleted = {
  type: "process_completed";
  data: ExecutionProcess;
  seq: number;
};

export type ProcessCreated = {
  type: "process_created";
  data: ExecutionProcess;
  seq: number;
};

export type ProcessFrame =
  | ProcessSnapshot
  | ProcessCreated
  | ProcessUpdated
  | ProcessCompleted;

/** All processes of the attempt; the first message, unless the stream goes on. */
export type ProcessSnapshot = {
  type: "snapshot";
  data: Array<ExecutionProcess>;
  seq: number;
};

export type ProcessStarted = {
  type: "process_started";
  data: ExecutionProcess;
  seq: number;
};

export type ProcessUpdated = {
  type: "process_updated";
  data: ExecutionProcess;
  seq: number;
};

/** All profiles as a JSON text for people to edit, and where those that differ are kept. */
export type ProfilesContent = {
  content: string;
  path: string;
};

/** A program is needed that is not installed; `install` tells how to get it. */
export type ProgramMissingProblem = {
  type: "program_missing";
  program: string;
  install: string;
};

/** A repository that a person has handed over, or a directory in one. */
export type Project = {
  id: string;
  name: string;
  /** That directory, where agents and scripts start. */
  git_repo_path: string;
  /** A script that is run in a new worktree before its first agent. */
  setup_script: string | null;
  /** A script that a person starts beside the agents, and that runs until it is stopped. */
  dev_script: string | null;
  /** A script that is run after an agent that has changed something. */
  cleanup_script: string | null;
  /** Files that git does not have and that are copied into each new worktree: paths or patterns, separated by commas or lines. */
  copy_files: string | null;
  /** Variables for its agents, scripts, dev servers and setup helpers; null removes a variable. */
  environment: { [key: string]: string | null };
  /** Whether what a setup script leaves running lives as long as the attempt. */
  keep_services: boolean;
  created_at: string;
  updated_at: string;
  /** The directory relative to the top of the repository; empty for the top. */
  subdirectory: string;
};

export type PullRequestInfo = {
  number: number;
  url: string;
  status: string;
  merged_at: string | null;
  merge_commit_sha: string | null;
};

/** An open pull request is bound to the name. */
export type PullRequestOpenProblem = {
  type: "pull_request_open";
  message: string;
};

/** Body of a push, which may be left out. */
export type PushTaskAttemptRequest = {
  force?: boolean | null;
};

/** Body of a queueing, which may be left out. */
export type QueueDraftRequest = {
  /** False takes the draft back; null is as true. */
  queued?: boolean | null;
  /** What the client has seen; null if it does not care. */
  expected_queued?: boolean | null;
  /** What the client has seen; null if it does not care. */
  expected_version?: number | null;
};

/** Too much was asked of GitHub. */
export type RateLimitedProblem = {
  type: "rate_limited";
  message: string;
  retry_after_s: number;
};

/** A rebase waits to be finished or aborted. */
export type RebaseInProgressProblem = {
  type: "rebase_in_progress";
  message: string;
};

/** Body of a rebase; both bases are the target branch unless they are named. */
export type RebaseTaskAttemptRequest = {
  old_base_branch?: string | null;
  new_base_branch?: string | null;
};

/** The push was refused; `reason` is `non_fast_forward`, `stale`, `remote` or `local_hook`. */
export type RejectedProblem = {
  type: "rejected";
  message: string;
  reason: string;
};

/** The other side gave an unexpected answer. */
export type RemoteFailedProblem = {
  type: "remote_failed";
  message: string;
};

/** The target is a branch of a remote; make a pull request. */
export type RemoteTargetProblem = {
  type: "remote_target";
  message: string;
};

export type RenameBranchRequest = {
  new_branch_name: string;
};

export type RenameBranchResponse = {
  branch: string;
};

export type RenameChange = {
  action: "rename";
  new_path: string;
};

/** Body of the replacement of a process, and of all that followed it, by a new run. */
export type ReplaceProcessRequest = {
  process_id: string;
  prompt: string;
  variant?: string | null;
  force_when_dirty?: boolean | null;
  perform_git_reset?: boolean | null;
};

/** The result of replacing a process. */
export type ReplaceProcessResult = {
  /** How many processes were dropped; their logs can still be read. */
  deleted_count: number;
  /** Whether the worktree was not as the process had found it. */
  git_reset_needed: boolean;
  /** Whether it is now. */
  git_reset_applied: boolean;
  /** The commit that the process had found, if that is known. */
  target_before_oid: string | null;
  /** The process that runs instead. */
  new_execution_id: string;
};

/** No such repository, or no access to it. */
export type RepoNotFoundOrNoAccessProblem = {
  type: "repo_not_found_or_no_access";
  message: string;
};

/** No repository is left where it was; `message` says where. */
export type RepositoryMissingProblem = {
  type: "repository_missing";
  message: string;
};

/** `data` of the event `resync`: the position is not held any more; read the records again. */
export type ResyncEvent = {
  /** From where on events are held. */
  oldest: number;
  /** After which position the stream goes on. */
  end: number;
};

/** A revert waits to be finished or aborted. */
export type RevertInProgressProblem = {
  type: "revert_in_progress";
  message: string;
};

/** Comments that belong together; an attempt has one at most that was not submitted. */
export type Review = {
  id: string;
  task_attempt_id: string;
  created_at: string;
  submitted_at: string | null;
  submitted_as: SubmittedAs | null;
  comments: Array<ReviewComment>;
};

/** One comment. */
export type ReviewComment = {
  id: string;
  review_id: string;
  /** Of the file; "" if it is about none. */
  path: string;
  side: Side;
  /** The first and the last line, from 1; null if it is about the file. */
  start_line: number | null;
  /** The first and the last line, from 1; null if it is about the file. */
  end_line: number | null;
  /** Their text, so that it is known which were meant. */
  lines: string;
  /** The commit that was looked at; null if nobody said. */
  anchor: string | null;
  body: string;
  state: CommentState;
  created_at: string;
  updated_at: string;
};

/** The likeness of a question that a rule answers. `same`: the same tool with the very same input. `tool`: the same tool, with any input. */
export type RuleMatch = "same" | "tool";

/** Body of the wish to have an agent set up. */
export type RunAgentSetupRequest = {
  executor_profile_id: ExecutorProfileIdInput;
};

/** A state of the worktree that was stored before something could destroy it. */
export type SavedState = {
  /** Counts up from 1 within the attempt. */
  number: number;
  created_at: string;
  /** What was about to happen. */
  reason: string;
  branch: string | null;
  /** The commit that was checked out. */
  head: string | null;
  commit: string;
};

/** The kind of an endpoint; a caller needs the scope that the endpoint declares. - `read`: look at tasks, conversations, changes. - `write`: make tasks, start and stop agents, send messages. - `decide`: answer what agents ask. - `land`: bring work to its target branch or to others, or throw it away: merge, rebase, push, delete. - `admin`: change what runs and who may do what: settings, profiles, scripts, tokens. */
export type Scope = "read" | "write" | "decide" | "land" | "admin";

/** The token lacks the scope of that endpoint; `scope` names it. */
export type ScopeMissingProblem = {
  type: "scope_missing";
  scope: Scope;
  message: string;
};

export type ScriptContext = "SetupScript" | "CleanupScript" | "DevServer";

/** The part of the person's shell that the scripts of projects have: that of a new terminal, that of a login shell, or nothing but the environment of the daemon. */
export type ScriptProfile = "terminal" | "login" | "none";

export type ScriptRequest = {
  type: "ScriptRequest";
  script: string;
  language: string;
  context: ScriptContext;
  services_of: string | null;
};

export type SearchAction = {
  action: "search";
  query: string;
};

/** One text that was found. */
export type SearchHit = {
  kind: FoundKind;
  /** The part of it around what was found. */
  excerpt: string;
  /** Where that is in the excerpt, each from and to, in characters. */
  ranges: Array<[number, number]>;
  at: string;
  project_id: string;
  project_name: string;
  task_id: string;
  title: string;
  task_status: TaskStatus;
  task_attempt_id: string | null;
  /** Of the attempt; null for a task. */
  number: number | null;
  executor: string | null;
  execution_process_id: string | null;
  /** The `index` of the entry in the conversation of its execution. */
  entry: number | null;
};

/** The place in a path where the text was found, the best first. */
export type SearchMatchType = "FileName" | "DirectoryName" | "FullPath";

/** `TASK_FORM` leaves out what git ignores, `SETTINGS` does not. */
export type SearchMode = "TaskForm" | "Settings";

/** Some hits, the newest first. */
export type SearchPage = {
  hits: Array<SearchHit>;
  /** Sent along, it gives those that come next; null if these were the last. */
  cursor: string | null;
};

/** A file or directory of a project; `path` is relative to the repository. */
export type SearchResult = {
  path: string;
  is_file: boolean;
  match_type: SearchMatchType;
};

/** Body of having seen an attempt. */
export type Seeing = {
  /** What was on the screen was that of this position; null is now. It only moves forward. */
  position?: number | null;
  /** Mark it as not seen, whatever was seen before. */
  unseen?: boolean | null;
};

/** Body of marking a file; without a version it is unseen. */
export type SeeingFile = {
  path: string;
  version?: string | null;
};

/** Up to where a person has seen an attempt. */
export type Seen = {
  task_attempt_id: string;
  /** Of the change log, as streams have it in `seq` and events in `id`. */
  position: number;
  /** The position of the last thing that concerns a person: the end of a run, a question. */
  moved: number;
  /** Whether that came after what was seen. */
  unseen: boolean;
};

/** A file that was marked as seen, in the `version` that the list of changed files had then. With another version there, it is unseen again. */
export type SeenFile = {
  path: string;
  version: string;
};

/** Setting that agent up from here is not supported. */
export type SetupNotSupportedProblem = {
  type: "setup_not_supported";
  field: string;
};

export type SetupRequiredError = {
  type: "setup_required";
};

/** The features that a client has introduced to the person. */
export type ShowcaseState = {
  /** Names of features. */
  seen_features: Array<string>;
};

/** The features that a client has introduced to the person. */
export type ShowcaseStateInput = {
  /** Names of features. */
  seen_features?: Array<string>;
};

/** The state whose lines are meant: as they were, or as they are. */
export type Side = "old" | "new";

/** A commit was to be signed, and could not be; `message` says why. */
export type SigningFailedProblem = {
  type: "signing_failed";
  message: string;
};

export type SoundFile = "ABSTRACT_SOUND1" | "ABSTRACT_SOUND2" | "ABSTRACT_SOUND3" | "ABSTRACT_SOUND4" | "COW_MOOING" | "PHONE_VIBRATION" | "ROOSTER";

/** It has changed meanwhile; `draft` is how it is. */
export type StaleDraftProblem = {
  type: "stale_draft";
  message: string;
  draft: Draft;
};

/** A new attempt at each of many tasks. */
export type StartingMany = {
  executor_profile_id: ExecutorProfileIdInput;
  base_branch: string;
};

/** It was stopped before it had started. */
export type StoppedProblem = {
  type: "stopped";
  message: string;
};

/** Body of a review's submission. */
export type Submission = {
  /** Null is `message`. */
  submit_as?: SubmittedAs | null;
  /** What is said before the comments. */
  text?: string | null;
};

/** The way to the agent: at once, when it is free, or into the turn that runs. */
export type SubmittedAs = "message" | "queue" | "steer";

/** The submodules in `submodules` have edits that are in no commit of theirs. */
export type SubmoduleDirtyProblem = {
  type: "submodule_dirty";
  message: string;
  submodules: Array<string>;
};

/** Commits of the submodules in `submodules` are where nobody else could get them. */
export type SubmoduleNotPushedProblem = {
  type: "submodule_not_pushed";
  message: string;
  submodules: Array<string>;
};

/** The submodules of a new worktree: those of the project's checkout, all, or none. */
export type Submodules = "as_checkout" | "all" | "none";

export type SuccessStatus = {
  status: "success";
};

export type SystemMessageEntry = {
  type: "system_message";
};

/** A text with a name; `@tag_name` in a prompt stands for its content. */
export type Tag = {
  id: string;
  tag_name: string;
  content: string;
  created_at: string;
  updated_at: string;
};

/** The target branch keeps moving. */
export type TargetMovedProblem = {
  type: "target_moved";
  message: string;
};

export type Task = {
  id: string;
  project_id: string;
  title: string;
  description: string | null;
  status: TaskStatus;
  parent_task_attempt: string | null;
  created_at: string;
  updated_at: string;
};

export type TaskAttempt = {
  id: string;
  task_id: string;
  container_ref: string | null;
  branch: string;
  target_branch: string;
  executor: string;
  worktree_deleted: boolean;
  setup_completed_at: string | null;
  created_at: string;
  updated_at: string;
  git_programs_withheld: boolean;
};

export type TaskCreateAction = {
  action: "task_create";
  description: string;
};

export type TaskCreated = {
  type: "task_created";
  data: TaskWithAttemptStatus;
  seq: number;
};

/** `data` is how the task was last. */
export type TaskDeleted = {
  type: "task_deleted";
  data: TaskWithAttemptStatus;
  seq: number;
};

export type TaskFrame =
  | TaskSnapshot
  | TaskCreated
  | TaskUpdated
  | TaskDeleted;

/** The tasks around an attempt: the one that its task grew from, and those that grew from it. */
export type TaskRelationships = {
  parent_task: Task | null;
  current_attempt: TaskAttempt;
  children: Array<Task>;
};

/** All tasks of the project; the first message, unless the stream goes on after a position. */
export type TaskSnapshot = {
  type: "snapshot";
  data: Array<TaskWithAttemptStatus>;
  seq: number;
};

export type TaskStatus = "todo" | "inprogress" | "inreview" | "done" | "cancelled";

export type TaskUpdated = {
  type: "task_updated";
  data: TaskWithAttemptStatus;
  seq: number;
};

/** A task and what its attempts say about it. */
export type TaskWithAttemptStatus = {
  id: string;
  project_id: string;
  title: string;
  description: string | null;
  status: TaskStatus;
  parent_task_attempt: string | null;
  created_at: string;
  updated_at: string;
  has_in_progress_attempt: boolean;
  has_merged_attempt: boolean;
  last_attempt_failed: boolean;
  executor: string;
};

export type ThemeMode = "LIGHT" | "DARK" | "SYSTEM";

export type ThinkingEntry = {
  type: "thinking";
};

/** No answer in time; it may have happened nevertheless. */
export type TimedOutProblem = {
  type: "timed_out";
  message: string;
};

export type TimedOutStatus = {
  status: "timed_out";
};

export type TodoItem = {
  content: string;
  status: string;
  priority: string | null;
};

export type TodoManagementAction = {
  action: "todo_management";
  todos: Array<TodoItem>;
  operation: string;
};

/** A token that a person has made for a program; the token itself is shown only once. `projects` are the only ones that it reaches; with null it reaches all. */
export type Token = {
  id: string;
  name: string;
  scopes: Array<Scope>;
  projects: Array<string> | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
};

/** GitHub does not accept the token, or the remote the login that git has. */
export type TokenInvalidProblem = {
  type: "token_invalid";
  message: string;
};

/** No GitHub token is set, or git has no login for the remote. */
export type TokenMissingProblem = {
  type: "token_missing";
  message: string;
};

/** Tokens of one run so far; `cost_usd` only if the agent tells it. */
export type TokenUsageEntry = {
  type: "token_usage";
  model: string | null;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  cost_usd: number | null;
};

/** The image is larger than 20 MiB. */
export type TooLargeProblem = {
  type: "too_large";
};

/** Nearly all files that Anyon may have open are in use, so no agent is started. */
export type TooManyOpenFilesProblem = {
  type: "too_many_open_files";
  message: string;
};

export type ToolAction = {
  action: "tool";
  tool_name: string;
  arguments: JsonValue;
  result: ToolResult | null;
};

/** Git or another program failed. */
export type ToolFailedProblem = {
  type: "tool_failed";
  tool: string;
};

export type ToolResult = {
  type: ToolResultValueType;
  value: JsonValue;
};

export type ToolResultValueType =
  | MarkdownResult
  | JsonResult;

export type ToolStatus =
  | CreatedStatus
  | SuccessStatus
  | FailedStatus
  | DeniedStatus
  | PendingApprovalStatus
  | TimedOutStatus;

export type ToolUseEntry = {
  type: "tool_use";
  tool_name: string;
  action_type: ActionType;
  status: ToolStatus;
};

export type UiLanguage = "BROWSER" | "EN" | "JA" | "ES" | "KO";

/** Body of going back to a saved state. */
export type Undoing = {
  /** Of the state; null is that before the last thing that replaced anything. */
  number?: number | null;
};

/** The state that is there again, and that which was there until now. */
export type Undone = {
  restored: SavedState;
  before: SavedState;
};

/** There is no way to the other side. */
export type UnreachableProblem = {
  type: "unreachable";
  message: string;
};

/** The directory cannot be read. */
export type UnreadableProblem = {
  type: "unreadable";
  field: string;
};

/** The two branches have no commit in common. */
export type UnrelatedHistoriesProblem = {
  type: "unrelated_histories";
  message: string;
};

/** Neither PNG, JPEG, GIF, WebP nor SVG, by its content. */
export type UnsupportedImageProblem = {
  type: "unsupported_image";
};

/** Body of a draft's update: what is absent is kept, null clears. */
export type UpdateDraftRequest = {
  prompt?: string | null;
  variant?: string | null;
  image_ids?: Array<string> | null;
  retry_process_id?: string | null;
  /** The version that the client has seen; null if it does not care. */
  version?: number | null;
};

/** Body of an update of an agent's MCP servers: all of them, by their names. */
export type UpdateMcpServersBody = {
  servers: { [key: string]: JsonValue };
};

/** Body of a project's update; what is absent or null is kept, "" clears. `environment` is replaced as a whole; {} clears it. */
export type UpdateProject = {
  /** A script that is run in a new worktree before its first agent. */
  setup_script?: string | null;
  /** A script that a person starts beside the agents, and that runs until it is stopped. */
  dev_script?: string | null;
  /** A script that is run after an agent that has changed something. */
  cleanup_script?: string | null;
  /** Files that git does not have and that are copied into each new worktree: paths or patterns, separated by commas or lines. */
  copy_files?: string | null;
  /** Variables for its agents, scripts, dev servers and setup helpers; null removes a variable. */
  environment?: { [key: string]: string | null } | null;
  /** Whether what a setup script leaves running lives as long as the attempt. */
  keep_services?: boolean | null;
  name?: string | null;
  git_repo_path?: string | null;
};

/** Body of a tag's update; what is absent or null is kept, an empty content clears. */
export type UpdateTag = {
  tag_name?: string | null;
  content?: string | null;
};

/** Body of a task's update; what is absent or null is kept, "" clears. */
export type UpdateTask = {
  title?: string | null;
  description?: string | null;
  status?: TaskStatus | null;
  parent_task_attempt?: string | null;
  image_ids?: Array<string> | null;
};

/** The things that usage is added up for; `day` is one of the daemon's time zone. */
export type UsageBy = "task" | "project" | "agent" | "day";

/** The usage of one task, project, agent or day. What no run told is null, and not 0. */
export type UsageSum = {
  /** An id, the name of an agent, or a day. */
  key: string;
  /** For people; of what was deleted, as it was called last. */
  name: string;
  /** How many runs of agents. */
  runs: number;
  /** Of so many the agent did not tell the tokens. */
  runs_without_tokens: number;
  /** Of so many it did not tell the cost; `cost_usd` is that of the others. */
  runs_without_cost: number;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  cost_usd: number | null;
  /** How long they ran, together. */
  seconds: number;
};

export type UserFeedbackEntry = {
  type: "user_feedback";
  denied_tool: string;
};

export type UserMessageEntry = {
  type: "user_message";
};

/** The facts that a client needs before anything else. */
export type UserSystemInfo = {
  /** The settings; secrets in it are masked. Unknown keys of the file are shown too. */
  config: Config;
  /** Random, stable, and never sent anywhere by the daemon. */
  analytics_user_id: string;
  /** All variants of all agents, by their names. */
  executors: { [key: string]: ExecutorConfig };
  environment: Environment;
  /** What each agent can do besides a first turn. */
  capabilities: { [key: string]: Array<BaseAgentCapability> };
  /** Which of the agents are on this machine. */
  availability: { [key: string]: Availability };
  /** Those that the executor ACP can start by their names, sorted by these. */
  acp_agents: Array<AcpAgent>;
};

/** The options that a variant can have. */
export type VariantForm = {
  executor: BaseCodingAgent;
  variant: string;
  /** A JSON schema of them. What can be chosen is in `examples`, with names in `x-choices`; any other value is allowed. */
  form: { [key: string]: JsonValue };
  /** That the agent has said it offers when it was at work last; none if it never was, or does not tell. */
  modes: Array<Choice>;
  /** The same of models. */
  models: Array<Choice>;
  /** How many it offers besides. */
  more: number;
};

export type WebFetchAction = {
  action: "web_fetch";
  url: string;
};

/** The worktree is that of another data directory, of which this one is a copy. */
export type WorktreeElsewhereProblem = {
  type: "worktree_elsewhere";
  message: string;
};

export type WriteChange = {
  action: "write";
  content: string;
};
