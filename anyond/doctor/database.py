"""Checks of the database: whether it is whole, how large it is, and whether there are backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Level, ok
from anyond.model.errors import Unavailable
from anyond.store.engine import backup
from anyond.store.engine.migrate import migrations
from anyond.store.engine.transaction import Reader

_LARGE_BYTES = 2 * 1024**3
_OLD = timedelta(days=3)
_FUTURE = timedelta(minutes=2)


def integrity(facts: Facts) -> list[Finding]:
    """Check whether the database is whole, and of a version that we know."""
    path = facts.paths.database
    if not path.exists():
        if backup.all_of(path):
            sentence = f"The database {path} is missing."
            return [Finding("database", Level.FAIL, sentence, backup.advice(path))]
        return ok("database", "There is no database yet; the first start makes one.")
    try:
        answer, version = facts.read(_checked)
    except Unavailable as error:
        return [Finding("database", Level.FAIL, str(error), backup.advice(path))]
    if answer != "ok":
        sentence = f"The database {path} is damaged ({answer})."
        return [Finding("database", Level.FAIL, sentence, backup.advice(path))]
    newest = migrations()[-1].version
    if version > newest:
        sentence = f"The database is of a newer version of Anyon (schema {version})."
        return [Finding("database", Level.FAIL, sentence, "Upgrade this command.")]
    size = path.stat().st_size
    if size > _LARGE_BYTES:
        sentence = f"The database is whole, and large ({size / 1e9:.1f} GB)."
        remedy = "Delete tasks that are of no use any more."
        return [Finding("database", Level.WARN, sentence, remedy)]
    return ok("database", f"The database is whole ({size / 1e6:.1f} MB).")


def _checked(reader: Reader) -> tuple[str, int]:
    (answer,) = reader.execute("PRAGMA quick_check(1)").fetchone()
    (version,) = reader.execute("PRAGMA user_version").fetchone()
    return str(answer).splitlines()[-1], version


def backups(facts: Facts) -> list[Finding]:
    """Check whether there is a recent copy of the database."""
    path = facts.paths.database
    if not path.exists():
        return ok("backups", "There is nothing to back up yet.")
    found = backup.all_of(path)
    age = datetime.now(UTC) - datetime.fromisoformat(found[0].made_at) if found else None
    made = datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_ctime, UTC)
    if age is None or age > _OLD:
        if age is None and made < timedelta(days=1):
            return ok("backups", "The database is young; a daemon copies it once a day.")
        sentence = (
            "There is no copy of the database."
            if age is None
            else f"The newest copy of the database is {age.days} days old."
        )
        remedy = "`anyon backup DIRECTORY` makes one now; a daemon that runs copies it once a day."
        return [Finding("backups", Level.WARN, sentence, remedy)]
    return ok("backups", f"The database was copied at {found[0].made_at}.")


def clock(facts: Facts) -> list[Finding]:
    """Check whether the clock is where it was: rows of the future were written by another one."""
    try:
        newest = facts.read(_newest_moment)
    except Unavailable:
        return ok("clock", "There is nothing yet that the clock could be compared with.")
    if newest is None:
        return ok("clock", "There is nothing yet that the clock could be compared with.")
    ahead = datetime.fromisoformat(newest) - datetime.now(UTC)
    if ahead > _FUTURE:
        sentence = f"The newest row is of {newest}, which is {_words(ahead)} from now."
        return [Finding("clock", Level.WARN, sentence, "Set the clock of this machine.")]
    return ok("clock", "The clock is not behind what was written earlier.")


def _newest_moment(reader: Reader) -> str | None:
    (newest,) = reader.execute(
        "SELECT max(at) FROM (SELECT max(updated_at) AS at FROM tasks UNION ALL"
        " SELECT max(created_at) FROM task_attempts UNION ALL"
        " SELECT max(created_at) FROM execution_processes)"
    ).fetchone()
    return None if newest is None else str(newest)


def _words(duration: timedelta) -> str:
    minutes = duration.total_seconds() / 60
    return f"{minutes / 60:.1f} hours" if minutes > 120 else f"{minutes:.0f} minutes"
