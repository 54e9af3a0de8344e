"""The words that Anyon does not use, and the check that none of them comes back.

`python -m tools.words` looks through all Python, Markdown and TOML files below a directory (the
present one, if none is named) and prints each place with the word to use instead. Whole words
count, also as parts of names: `flavour` is found in `WireFlavour` and `wire_flavour`, not in
`flavoured`. A name that clients or other programs depend on is allowed by a row of `ALLOWED`; a
row that allows nothing any more is a finding, too.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple


class Word(NamedTuple):
    """A word that is not used.

    Attributes:
        word: in small letters; several words with a space between them are a phrase.
        instead: what to write.
        reason: why, for whoever meets the finding.
        is_name: exactly as it is here, and only as a name in Python: a class whose word is plain
            English elsewhere.
        in_names: only as a part of names in Python (`told` in `_told_at`), outside of tests: a
            word that is plain English in a sentence, and says too little of a thing.
    """

    word: str
    instead: str
    reason: str
    is_name: bool = False
    in_names: bool = False


class Allowed(NamedTuple):
    """A place where a word stays.

    Attributes:
        path: a pattern of paths relative to the root, with `/`.
        word: as in `WORDS`; `*` is all of them.
        reason: who depends on it.
    """

    path: str
    word: str
    reason: str


class Finding(NamedTuple):
    """A word at a place, or a row of `ALLOWED` that has no use."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


_SENT = "Name what happens: something is sent, delivered, reported, rendered or logged."
_ASKED = "Name what it is: a request, a body, options."
_TIME = "A limit of time says what for, and its unit."
_STEPS = "A stop, and the taking of a lock, go through steps."

WORDS = (
    Word("flavour", "wire format", "How frames are written on the wire is a format."),
    Word("flavours", "wire formats", "How frames are written on the wire is a format."),
    Word("ladder", "steps", _STEPS),
    Word("ladders", "steps", _STEPS),
    Word("rung", "step", _STEPS),
    Word("rungs", "steps", _STEPS),
    Word("climb", "step", _STEPS),
    Word("climbs", "steps", _STEPS),
    Word("hurry", "hasten", "The commands of the machines are called HastenStop; one word for it."),
    Word("laggard", "slow reader", "That is how it is called where connections are described."),
    Word("laggards", "slow readers", "That is how it is called where connections are described."),
    Word("cooked", "prepared", "It is what was prepared for a start."),
    Word("puzzled", "the name of the failure", "An error is named by what failed."),
    Word("census", "listing", "It lists the files of a checkout."),
    Word("announcer", "notifier", "It sends desktop notifications."),
    Word("announcers", "notifiers", "It sends desktop notifications."),
    Word("presence", "daemon file", "`daemon.json` is a file, and its class is DaemonFile."),
    Word("the ancestor", "vibe-kanban", "The project has a name; an ancestor is a commit."),
    Word("Face", "Gateway", "It translates between two forms of an API.", is_name=True),
    Word("Doors", "ListenerSet", "A server has listeners.", is_name=True),
    Word("Places", "AppPaths", "It holds the paths of the application.", is_name=True),
    Word("Wake", "Wakeup", "It is notified, and wakes who waits.", is_name=True),
    Word("Do", "RunExclusive", "A command says what is run, and how.", is_name=True),
    Word("Verdict", "Decision", "An approval request gets a decision.", is_name=True),
    Word("Landing", "MergeRecord", "Work is merged.", is_name=True),
    Word("Front", "App", "It is the application.", is_name=True),
    Word("kept turn", "turn record", "It is the record of a turn."),
    Word("told", "sent or reported", _SENT, in_names=True),
    Word("untold", "unreported", _SENT, in_names=True),
    Word("retold", "recap", "What an agent gets of earlier runs is the recap.", in_names=True),
    Word("said", "sent or written", _SENT, in_names=True),
    Word("unsaid", "undelivered", _SENT, in_names=True),
    Word("say", "send or write", _SENT, in_names=True),
    Word("says", "contains", _SENT, in_names=True),
    Word("heard", "received", _SENT, in_names=True),
    Word("unheard", "undelivered", _SENT, in_names=True),
    Word("spoken", "supported or written", _SENT, in_names=True),
    Word("shown", "displayed", "Name what it is: displayed, printable.", in_names=True),
    Word("wanted", "request", _ASKED, in_names=True),
    Word("unwanted", "halted", "An attempt or a process is halted.", in_names=True),
    Word("kept", "stored or saved", "Name what becomes of it.", in_names=True),
    Word("unkept", "not in snapshot", "Name where it is not.", in_names=True),
    Word("awake", "active", "An attempt with an actor is active.", in_names=True),
    Word("asleep", "inactive", "An attempt without an actor is inactive.", in_names=True),
    Word("verdict", "decision", "An approval request gets a decision.", in_names=True),
    Word("verdicts", "decisions", "An approval request gets a decision.", in_names=True),
    Word("landed", "merged", "Work is merged.", in_names=True),
    Word("landing", "merge record", "Work is merged.", in_names=True),
    Word("stranger", "foreign", "Name who or what it is.", in_names=True),
    Word("strangers", "unowned", "Name who or what it is.", in_names=True),
    Word("door", "listener", "A server has listeners.", in_names=True),
    Word("nap", "pause", _TIME, in_names=True),
    Word("patience", "timeout", _TIME, in_names=True),
    Word("grace", "timeout", _TIME, in_names=True),
    Word("tick", "debounce or step", _TIME, in_names=True),
    Word("grumble", "plain output", "It is output outside of the protocol.", in_names=True),
    Word("grumbles", "plain output", "It is output outside of the protocol.", in_names=True),
    Word("grumbled", "plain output", "It is output outside of the protocol.", in_names=True),
    Word("lump", "block", "It is a block of output.", in_names=True),
    Word("lumps", "blocks", "It is a block of output.", in_names=True),
    Word("heeded", "taken up", "A message is taken up by its agent.", in_names=True),
    Word("unheeded", "pending", "A message is taken up by its agent.", in_names=True),
)

ALLOWED = (
    Allowed("tools/words.py", "*", "The list itself."),
    Allowed("anyond/shim/spool/files.py", "kept", "A field of exit.json."),
    Allowed("tests/docs/test_words.py", "*", "It tries the list."),
)

_SUFFIXES = (".md", ".py", ".toml")
_BUILT = frozenset({"__pycache__", "build", "dist", "node_modules"})


def findings(
    root: Path, words: Sequence[Word] = WORDS, allowed: Sequence[Allowed] = ALLOWED
) -> list[Finding]:
    """All findings below `root`, by path and line.

    Raises:
        OSError: a file cannot be read.
        UnicodeDecodeError: a file is not UTF-8.
        tokenize.TokenError: a file of Python is cut short.
    """
    found: list[Finding] = []
    used: set[Allowed] = set()
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text("utf-8")
        asked = [one for one in words if not (one.in_names and name.startswith("tests/"))]
        for word, line in _lines(text, asked, is_python=path.suffix == ".py"):
            rows = [row for row in allowed if _allows(row, name, word)]
            used.update(rows)
            if not rows:
                message = f"{word.word!r}: write {word.instead}. {word.reason}"
                found.append(Finding(name, line, message))
    unused = [row for row in allowed if row not in used]
    found += [Finding(row.path, 0, f"{row.word!r} is allowed and not used.") for row in unused]
    return sorted(found)


def main(arguments: Sequence[str]) -> int:
    """Print all findings; the exit code is 1 if there are any."""
    found = findings(Path(arguments[0]) if arguments else Path())
    for finding in found:
        print(finding)
    return 1 if found else 0


def _allows(row: Allowed, path: str, word: Word) -> bool:
    return fnmatch(path, row.path) and row.word in {"*", word.word}


def _lines(text: str, words: Sequence[Word], *, is_python: bool) -> Iterator[tuple[Word, int]]:
    """Each word that is in the text, with its line, from 1."""
    small = text.lower()
    for word in words:
        # Nearly all files have none of them, and this is much quicker than a pattern.
        if word.word.lower().split()[-1] not in small:
            continue
        if not word.is_name and not word.in_names:
            for match in _pattern(word).finditer(text):
                yield word, text.count("\n", 0, match.start()) + 1
        elif is_python and (pattern := _pattern(word)).search(text):
            for name, line in _names(text):
                if name == word.word if word.is_name else pattern.search(name):
                    yield word, line


@lru_cache(maxsize=1)
def _names(text: str) -> list[tuple[str, int]]:
    """All names of a file of Python, each with its line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [(token.string, token.start[0]) for token in tokens if token.type == tokenize.NAME]


@cache
def _pattern(word: Word) -> re.Pattern[str]:
    first, rest = word.word[0], word.word[1:].replace(" ", r"[\s#>*]+")
    capital = first.upper()
    in_small = rf"(?:(?<![A-Za-z])[{first}{capital}]|(?<=[a-z0-9]){capital}){rest}(?![a-z])"
    in_capitals = rf"(?<![A-Za-z]){word.word.upper()}(?![A-Za-z])"
    return re.compile(f"{in_small}|{in_capitals}")


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(n for n in folders if n not in _BUILT and not n.startswith("."))
        for name in sorted(names):
            if name.endswith(_SUFFIXES):
                yield Path(folder, name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
