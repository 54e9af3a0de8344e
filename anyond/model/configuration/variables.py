"""The environment variables that Anyon reads, beside those of the options of `anyon serve`."""

from __future__ import annotations

from enum import StrEnum


class Variable(StrEnum):
    """The name of a variable, and what it says (`text`): one sentence for people."""

    text: str

    def __new__(cls, name: str, text: str) -> Variable:
        made = str.__new__(cls, name)
        made._value_ = name
        made.text = text
        return made

    CONFIG_DIR = (
        "ANYON_CONFIG_DIR",
        "The configuration directory: `config.json`, `profiles.json`, `acp-agents.json`, `token`.",
    )
    DATA_DIR = (
        "ANYON_DATA_DIR",
        "The data directory: the database, executions, worktrees, images.",
    )
    RUNTIME_DIR = (
        "ANYON_RUNTIME_DIR",
        "The directory of what is true only while a daemon runs: `daemon.json`.",
    )
    GITHUB_URL = ("ANYON_GITHUB_URL", "The address of a GitHub Enterprise, with https.")
    GITHUB_API_URL = (
        "ANYON_GITHUB_API_URL",
        "The address of its API, if that does not follow from the other.",
    )
    GITHUB_CLIENT_ID = (
        "ANYON_GITHUB_CLIENT_ID",
        "The client id of the OAuth app by which people sign in to GitHub.",
    )
    URL = (
        "ANYON_URL",
        "Where clients find the daemon: `http://host:port`, or `unix:/path`.",
    )
    TOKEN = ("ANYON_TOKEN", "The token that clients send, if it is not to be read from its file.")
