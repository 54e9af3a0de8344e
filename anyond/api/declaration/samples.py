"""Ids and names that the examples of parameters, bodies and answers have in common."""

from __future__ import annotations

PROJECT_ID = "5f0c1a52-8d0e-4a57-9f6b-2f4c8f0e1a01"
TASK_ID = "8b6f6a0e-3c1d-4c8a-8a52-6d1f5b7c2a02"
ATTEMPT_ID = "c1d94f3b-72a5-4e0f-b0c6-9e8d7a6b3a03"
PROCESS_ID = "e7a2b9c4-15d3-4f86-9a3e-4b5c6d7e4a04"
APPROVAL_ID = "2d9e8f70-6b1c-4d25-8e94-7f0a1b2c5a05"
TAG_ID = "94c3d2e1-f0a9-4b87-a6c5-3d4e5f605a06"
TOKEN_ID = "6a1e0c52-94b7-4d1e-8f3a-5b2c7d9e6a08"
COMMENT_ID = "b8e4d7f1-3a5c-4e92-9d06-7c1f2a8b5a09"
IMAGE_ID = "37b6a5c4-d3e2-4f10-9b8a-1c2d3e4f5a07"

COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8"
WORKTREE = "/home/ada/.local/share/anyon/worktrees/tea/describe-the-tea-timer-c1d94f3b"
