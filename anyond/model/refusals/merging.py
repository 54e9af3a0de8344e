"""Refusals to combine two branches, or to publish one."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.model.errors import Conflict


class MergeConflicts(Conflict, type="merge_conflicts"):
    """The two histories contradict each other in `files`.

    `op` is `merge`, which has changed nothing, or `rebase`, which waits for a decision.
    """

    op: str
    files: list[str]

    def __init__(self, op: str, files: Sequence[str]) -> None:
        named = ", ".join(files[:10]) + (f" and {len(files) - 10} more" if len(files) > 10 else "")
        super().__init__(f"Conflicts in {named}")
        self.op = op
        self.files = list(files)


class NothingToMerge(Conflict, type="nothing_to_merge"):
    """The target has everything already."""

    @classmethod
    def into(cls, target: str, source: str) -> NothingToMerge:
        """Name the two branches as git knows them."""
        return cls(f"{target} has everything that {source} has.")

    @classmethod
    def on_github(cls, target: str, reason: str) -> NothingToMerge:
        """Name them as GitHub knows them, in its words."""
        return cls(f"There is nothing to merge into {target}: {reason}")


class TargetMoved(Conflict, type="target_moved"):
    """The target branch keeps moving."""

    def __init__(self, target: str) -> None:
        super().__init__(f"The branch {target} keeps moving; try again.")


class RemoteTarget(Conflict, type="remote_target"):
    """The target is a branch of a remote; make a pull request."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"{target} is a branch of a remote. Merge into a local branch, or make a pull request."
        )


class UnrelatedHistories(Conflict, type="unrelated_histories"):
    """The two branches have no commit in common.

    Args:
        what: git cannot do with them.
        shallow: whether the repository has only the newer commits.
    """

    def __init__(self, what: str, *, shallow: bool) -> None:
        text = f"The two branches have no commit in common, so git cannot {what} them."
        if shallow:
            text += " The repository is shallow; `git fetch --unshallow` brings the older commits."
        super().__init__(text)


class MergeCommits(Conflict, type="merge_commits"):
    """Merge commits have changed `files` themselves, which a rebase would leave out."""

    files: list[str]

    def __init__(self, files: Sequence[str]) -> None:
        where = f" in {', '.join(files[:10])}" if files else ""
        super().__init__(
            "A rebase would leave out what merge commits of this branch have changed themselves"
            f"{where}. Merge the base into the branch instead, or put these changes into a commit "
            "of their own first."
        )
        self.files = list(files)


class SubmoduleDirty(Conflict, type="submodule_dirty"):
    """The submodules in `submodules` have edits that are in no commit of theirs.

    A merge, a push and a pull request would lack them.
    """

    submodules: list[str]

    def __init__(self, submodules: Sequence[str]) -> None:
        super().__init__(
            "These submodules have changes that are in no commit of theirs: "
            f"{', '.join(submodules[:10])}. Commit them in the submodule, or take them back, first."
        )
        self.submodules = list(submodules)


class SubmoduleNotPushed(Conflict, type="submodule_not_pushed"):
    """Commits of the submodules in `submodules` are where nobody else could get them.

    They are on none of their remotes. A merge is only refused if the project's checkout has no
    repository of the submodule either.

    Args:
        missed: the path and the commit of each.
        why: the reason, which holds for each of them.
    """

    submodules: list[str]

    def __init__(self, missed: Sequence[tuple[str, str]], why: str) -> None:
        named = ", ".join(f"{path} ({oid[:12]})" for path, oid in missed[:10])
        super().__init__(
            f"Nobody else could get these commits of submodules: {named}. For each, {why}."
        )
        self.submodules = [path for path, _ in missed]


class PullRequestOpen(Conflict, type="pull_request_open"):
    """An open pull request is bound to the name."""

    def __init__(self, url: str) -> None:
        super().__init__(f"The pull request {url} is open; close or merge it first.")
