"""Images that are uploaded."""

from __future__ import annotations

from typing import Any

from tests.support.daemon import Daemon, Refused
from tests.support.http.pictures import png

PNG = png()


async def upload(
    daemon: Daemon, content: bytes = PNG, name: str = "shot.png", path: str = "upload"
) -> dict[str, Any]:
    answer = await daemon.request(
        "POST", f"/api/images/{path}", files={"image": (name, content, "text/html")}
    )
    body = answer.json()
    if not body["success"]:
        raise Refused(answer.status_code, body)
    return body["data"]  # type: ignore[no-any-return]
