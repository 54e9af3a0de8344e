"""Failures of the model or the login that an agent reports as if they were words."""

from __future__ import annotations

import re

_ERROR = re.compile(r"\s*\[?(?:API |Connect|Request )?Error\b\s*(?:\d{3}\b|[:\]])", re.IGNORECASE)
_STATUS = re.compile(
    r"\s*\[?(?:HTTP(?:/[\d.]+)? )?[45]\d\d:? (?:bad request|unauthorized|payment required|forbidden"
    r"|not found|too many requests|internal server error|bad gateway|service unavailable"
    r"|gateway time-?out|overloaded)\b",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"authentication required|not logged in|no api key found|(?:invalid|missing) api key"
    r"|please (?:run '[\w -]+ login'|log in)|starting login flow",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:HTTP(?:/[\d.]+)?(?: error)?|status(?:[ _]?code)?|(?<!exit )code)[ :=]*\(?401\b"
    r"|^\W*(?:API Error:? ?)?\(?401\b"
    r"|\b401:? (?:unauthorized|invalid|incorrect|authentication)|\bUNAUTHENTICATED\b"
    r"|\bauthentication[ _]?(?:failed|error|required)\b|\bun(?:authorized|authenticated)\b"
    r"|\b(?:invalid|incorrect|missing|no|bad|wrong|expired)[ _](?:x-)?api[-_ ]?key\b"
    r"|API[-_ ]?key\b.{0,40}\b(?:not valid|invalid|missing|refused|expired|revoked|disabled"
    r"|required|not (?:set|found|provided|configured)|unset)\b"
    r"|\b(?:set|export|provide)\b.{0,30}\b\w*API_KEY\b"
    r"|\b403\b.{0,60}\b(?:key|token|credentials?)\b"
    r"|\b(?:invalid|missing|bad|expired|no) (?:access |auth\w* )?(?:credentials?|token)\b"
    r"|\bcredentials? (?:is|are|was|were) (?:invalid|expired|missing|incorrect|revoked)\b"
    r"|\btoken (?:is|was) (?:expired|revoked)\b|\brequires? authentication\b|\binvalid_grant\b"
    r"|LoadAPIKeyError|\brun ['\"`]?/login\b|\byou (?:need|have) to (?:log|sign) in\b"
    r"|\b(?:access|auth\w*|login|sign-?in) (?:token |session )?(?:has |is )?(?:expired|revoked)\b"
    r"|\bsession (?:has )?expired\b.{0,40}\b(?:sign|log)[ -]?in\b"
    r"|\b(?:not|un)[ -]?(?:authenticated|logged[ -]in|signed[ -]in)\b|\blogin (?:is )?required\b"
    r"|\bplease (?:re-?)?(?:authenticate|sign in|log in|login)\b",
    re.IGNORECASE,
)
_HINTS = (
    "401",
    "403",
    "auth",
    "key",
    "token",
    "credential",
    "grant",
    "grant",
    "log",
    "sign",
    "expired",
    "revoked",
)
"""One of them is in whatever `_REFUSED` or `_LOGIN` finds: to look for each of their branches at
each letter takes a hundred times as long."""

_DEMAND = re.compile(
    r"\W*(?:error\W+)?(?:you(?: are|'re) |user (?:is )?)?(?:not (?:logged|signed) in\b"
    r"|not authenticated\b|authentication (?:is )?required\b|login (?:is )?required\b"
    r"|(?:invalid|missing|incorrect|no) api[-_ ]key\b"
    r"|please (?:log in|login|sign in|authenticate|run ['`\"/]+[\w ./-]*(?:login|auth)\b))",
    re.IGNORECASE,
)
_LOST = re.compile(
    r"\b(?:thread|chat|session|conversation)\b.{0,100}"
    r"\b(?:not found|not exist|no longer|unknown|unavailable)"
    r"|\b(?:no such|unknown|invalid|could ?no?t find|couldn't find|cannot find)\b.{0,20}"
    r"\b(?:thread|chat|session|conversation)\b",
    re.IGNORECASE,
)
_MOST = 2000
_DEMAND_MOST = 300


def is_error(text: str) -> bool:
    """Return whether an answer that is all that an agent said is an error in truth."""
    return any(pattern.match(text[:_MOST]) for pattern in (_ERROR, _STATUS))


def demands_login(text: str) -> bool:
    """Return whether a line outside of the protocol says that the person must log in first."""
    return _LOGIN.search(text[:_MOST]) is not None


def refuses_key(text: str) -> bool:
    """Return whether an error for which a run fails is cured by a login or by another key."""
    text = text[:_MOST]
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return False
    return _REFUSED.search(text) is not None or _LOGIN.search(text) is not None


def is_demand(text: str) -> bool:
    """Return whether an answer that is all that an agent said only wants the person to log in."""
    return len(text) <= _DEMAND_MOST and _DEMAND.match(text) is not None


def is_labelled(text: str) -> bool:
    """Return whether an answer that is all that an agent said is called an error by itself."""
    return _ERROR.match(text[:_MOST]) is not None


def lost_session(text: str) -> bool:
    """Return whether a line outside of the protocol says that a session to resume is not there."""
    return _LOST.search(text[:_MOST]) is not None
