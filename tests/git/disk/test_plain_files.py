"""What stands in the place of git's files is read only if it is a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WAITS = """
import sys; from pathlib import Path
from anyond.git.disk import durable, locations, plain_files
from anyond.git.repo import repository
pipe = Path(sys.argv[1]); own = pipe.parent
{question}
"""


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("index", "assert durable._is_whole(pipe)"),
        ("HEAD", "assert not durable._is_lost(pipe)"),
        (".git", "assert repository.common_dir_at(own) is None"),
        ("commondir", "assert locations.shared_by(own) == own"),
    ],
)
def test_a_pipe_in_the_place_of_a_file_holds_up_nobody(
    tmp_path: Path, name: str, question: str
) -> None:
    pipe = tmp_path / name
    os.mkfifo(pipe)
    code = WAITS.format(question=question)
    subprocess.run([sys.executable, "-c", code, str(pipe)], check=True, timeout=30)
