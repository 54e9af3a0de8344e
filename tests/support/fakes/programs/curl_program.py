"""`curl` where there is none: the few options that the documentation types."""

from __future__ import annotations

import getopt
import sys
from pathlib import Path

import httpx


def main(arguments: list[str]) -> int:
    """Do one request as curl does: print the body as it comes, or write it to the file of `-o`."""
    urls: list[str] = []
    options: list[tuple[str, str]] = []
    while arguments:  # curl takes options behind the address too
        parsed, arguments = getopt.getopt(arguments, "sSNX:H:d:F:o:w:")
        options += parsed
        urls, arguments = urls + arguments[:1], arguments[1:]
    (url,) = urls
    method, body, form, out, at_the_end = "GET", None, {}, None, ""
    headers: list[tuple[str, str]] = []
    for name, value in options:
        match name:
            case "-X":
                method = value
            case "-H":
                key, _, content = value.partition(":")
                headers.append((key, content.strip()))
            case "-d":
                method, body = ("POST" if method == "GET" else method), value.encode()
            case "-F":
                field, _, content = value.partition("=")
                file = Path(content.removeprefix("@"))
                method, form[field] = "POST", (file.name, file.read_bytes())
            case "-o":
                out = Path(value)
            case "-w":
                at_the_end = value.replace("\\n", "\n")
    with (
        httpx.Client(trust_env=False, verify=False, timeout=None) as client,
        client.stream(method, url, headers=headers, content=body, files=form or None) as answer,
    ):
        if out is not None:
            out.write_bytes(answer.read())
        else:
            for piece in answer.iter_bytes():
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
        print(at_the_end.replace("%{http_code}", str(answer.status_code)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
