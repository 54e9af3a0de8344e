"""Tests of `anyond/git/worktree`."""
