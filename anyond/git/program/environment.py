"""The environment in which git runs: the person's, except for what changes git's answers."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping

from anyond.model.configuration.environment import personal

# Of the variables that git itself reads, these say who the person is, and how they reach others.
# All others change which repository git works in, or what it answers.
_PERSONAL_NAMES = """
    GIT_ALLOW_PROTOCOL GIT_ASKPASS GIT_ATTR_GLOBAL GIT_ATTR_NOSYSTEM GIT_ATTR_SYSTEM
    GIT_AUTHOR_EMAIL GIT_AUTHOR_NAME GIT_CEILING_DIRECTORIES GIT_COMMITTER_EMAIL
    GIT_COMMITTER_NAME GIT_CONFIG_COUNT GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
    GIT_CONFIG_SYSTEM GIT_CURL_FTP_NO_EPSV GIT_DISCOVERY_ACROSS_FILESYSTEM GIT_EXEC_PATH
    GIT_HTTP_LOW_SPEED_LIMIT GIT_HTTP_LOW_SPEED_TIME GIT_HTTP_MAX_REQUESTS
    GIT_HTTP_PROXY_AUTHMETHOD GIT_HTTP_USER_AGENT GIT_PROTOCOL GIT_PROTOCOL_FROM_USER
    GIT_PROXY_COMMAND GIT_PROXY_SSL_CAINFO GIT_PROXY_SSL_CERT
    GIT_PROXY_SSL_CERT_PASSWORD_PROTECTED GIT_PROXY_SSL_KEY GIT_SSH GIT_SSH_COMMAND
    GIT_SSH_VARIANT GIT_SSL_CAINFO GIT_SSL_CAPATH GIT_SSL_CERT
    GIT_SSL_CERT_PASSWORD_PROTECTED GIT_SSL_CERT_TYPE GIT_SSL_CIPHER_LIST GIT_SSL_KEY
    GIT_SSL_KEY_TYPE GIT_SSL_NO_VERIFY GIT_SSL_VERSION GIT_TEMPLATE_DIR
"""
_PERSONAL = frozenset(_PERSONAL_NAMES.split())
_PERSONAL_PREFIXES = (
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
    "GIT_CREDENTIAL_",
    "GIT_CRYPT_",
    "GIT_LFS_",
    "GIT_TRACE2",  # companies follow git by it; unlike GIT_TRACE, it is not among git's words
)

# Nobody sits at a terminal. Whoever has set up a program that asks in another way (GIT_ASKPASS,
# core.askPass, SSH_ASKPASS) is asked by it; each command has a deadline.
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_EDITOR": "true",
    "GIT_SEQUENCE_EDITOR": "true",
    "GIT_PAGER": "cat",
    "GIT_ADVICE": "0",
    # Git's own words stay English, because we read them. The locale is the person's: hooks, filters
    # and helpers are programs of theirs, and what they name is written in it.
    "GIT_TEXTDOMAINDIR": os.devnull,
}


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command of git if the daemon's own is `environ`."""
    clean = {name: value for name, value in personal(environ).items() if _is_passed_on(name)}
    if not clean.get("SSH_ASKPASS"):
        # Ssh has a program of its own to ask with, which would appear on a screen out of nowhere.
        clean["SSH_ASKPASS_REQUIRE"] = "never"
    clean.setdefault("GCM_INTERACTIVE", "never")
    return {**clean, **_FIXED}


def settings(pairs: Iterable[tuple[str, str]], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that add settings to those of one command, behind the person's own.

    In the environment nobody sees them in a list of processes.
    """
    given = environ.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    env: dict[str, str] = {}
    count = first
    for count, (key, value) in enumerate(pairs, first + 1):
        env[f"GIT_CONFIG_KEY_{count - 1}"] = key
        env[f"GIT_CONFIG_VALUE_{count - 1}"] = value
    return {**env, "GIT_CONFIG_COUNT": str(count)}


@functools.cache
def _is_passed_on(name: str) -> bool:
    if not name.startswith("GIT_"):
        return True
    return name in _PERSONAL or name.startswith(_PERSONAL_PREFIXES)
