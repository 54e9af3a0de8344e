"""Files, logs and images of a vibe-kanban; each is there before its row."""

from __future__ import annotations

import shutil
from pathlib import Path

import trio

from anyond.editing import files
from anyond.files.images import ImageFiles, Picture
from anyond.host.app_paths import AppPaths
from anyond.importing import vibe_logs
from anyond.importing.report import Report
from anyond.importing.vibe_plan import Bundle
from anyond.importing.vibe_records import OldAttempt, OldProcess
from anyond.importing.vibe_tables import Tables
from anyond.logs import archive
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.ids import derived_id, seconds
from anyond.model.records import Exit
from anyond.operations.turn.end_reason import ENTRIES
from anyond.procs.spools.spool import Spool


class Files:
    """The places of one data directory to which they go."""

    def __init__(self, tables: Tables, paths: AppPaths, report: Report) -> None:
        self._tables = tables
        self._executions = paths.executions
        self._images = ImageFiles(paths.images)
        self._report = report
        self._reading = trio.Lock()

    async def write(self, bundle: Bundle) -> None:
        """All that the new rows of `bundle` will speak of.

        Raises:
            Unavailable: the disk does not take it.
        """
        for image in bundle.images:
            try:
                image.picture = await trio.to_thread.run_sync(self._take_picture, image.file)
            except Unavailable:
                raise
            except (AnyondError, OSError) as refusal:
                self._report.leave(f"image {image.name}: {refusal}")
        for attempt, process in bundle.processes:
            await self._write_log(attempt, process, self._executions / process.id)
        for attempt, process in bundle.ended:
            # There is a row already, which shall not be without a log while this one is made. Were
            # it left behind, a daemon would sweep it, as every execution without a row.
            spool_dir = self._executions / derived_id("ended since an import", process.id)
            await self._write_log(attempt, process, spool_dir)
            await trio.to_thread.run_sync(self._replace, self._executions / process.id, spool_dir)

    def _take_picture(self, file: Path) -> Picture:
        with self._images.incoming() as upload, file.open("rb") as source:
            while data := source.read(1 << 20):
                upload.write(data)
            picture = upload.finish()
            self._images.keep(upload, picture)
        return picture

    def _replace(self, old: Path, new: Path) -> None:
        try:
            shutil.rmtree(old, ignore_errors=True)
            new.rename(old)
            files.sync_directory(old.parent)
        except OSError as error:
            raise Unavailable(f"{old} could not be replaced: {error.strerror}.") from error

    async def _write_log(self, attempt: OldAttempt, process: OldProcess, path: Path) -> None:
        """The spool of a process, as if Anyon had run it; one that is half made begins anew."""
        spool = Spool(path)
        started = int(seconds(process.started_at) * 1e9)
        async with self._reading:  # one conversation in memory at a time
            transcript = vibe_logs.Transcript(process, attempt.worktree or "/")
            await trio.to_thread.run_sync(shutil.rmtree, spool.path, True)
            rows = self._tables.logs_of(process.key)
            for stream, data in vibe_logs.pieces(self._tables.connection, rows):
                spool.append_output(stream, data, started)
                transcript.feed(stream, data)
                await trio.lowlevel.checkpoint()
            content = archive.encode(transcript.frames(), spool.path.name)

        def finish() -> None:
            ended = int(seconds(process.ended_at) * 1e9)
            spool.sync()
            spool.write_exit(Exit(code=process.exit_code, ended_at=ended))
            files.write(spool.path / ENTRIES, content)

        await trio.to_thread.run_sync(finish)
