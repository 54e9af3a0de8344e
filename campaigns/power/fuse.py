"""A mounted file system in memory that writes a journal of all its changes: `fuse.py DIR JOURNAL`.

It speaks the kernel's FUSE protocol (version 7.31) over /dev/fuse, without a library, and needs to
be root. Lines on its standard input: `all` means that everything so far is on the disk. It ends
when it is unmounted. It is a program of its own: whoever waits for a file of it, and be it for the
start of a program, must not be the one who answers.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import select
import stat
import struct
import sys
import time
from collections.abc import Callable

from campaigns.power.disk import ROOT, Change, Live, Node

_HEADER = struct.Struct("<IIQQIIIHH")
_MOST = 1 << 17
_FOREVER = 1 << 30  # seconds that the kernel may believe us: nobody else changes anything

_SIZE, _MODE, _MTIME, _MTIME_NOW = 1 << 3, 1, 1 << 5, 1 << 8


class FuseServer:
    """Answers the kernel's requests from a `Live`."""

    def __init__(self, device: int, live: Live) -> None:
        self._device = device
        self._live = live
        self._times: dict[int, tuple[float, float]] = {}
        self._offset = time.time() - time.monotonic()
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            1: self._lookup,
            3: lambda node, _: self._attributes(node),
            4: self._setattr,
            5: lambda node, _: live.nodes[node].target,
            6: self._symlink,
            8: self._mknod,
            9: self._mkdir,
            10: self._unlink,
            11: self._rmdir,
            12: lambda node, body: self._rename(node, body, 8),
            13: self._link,
            14: self._open,
            15: self._read,
            16: self._write,
            17: lambda *_: struct.pack(
                "<QQQQQIIII24x", 1 << 24, 1 << 23, 1 << 23, 1 << 24, 1 << 23, 4096, 255, 4096, 0
            ),
            18: self._release,
            20: self._sync,
            25: lambda *_: b"",
            26: self._init,
            27: lambda *_: bytes(16),
            28: self._readdir,
            29: lambda *_: b"",
            30: self._sync,
            35: self._create,
            43: self._allocate,
            45: lambda node, body: self._rename(node, body, 16),
        }

    def answer(self) -> bool:
        """Answer one request; False when it was unmounted."""
        try:
            request = os.read(self._device, _MOST + 8192)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                return True
            return error.errno != errno.ENODEV
        _, opcode, unique, node, *_ = _HEADER.unpack_from(request)
        if opcode in (2, 36, 42):  # forget, interrupt: no answer is expected
            return True
        work = self._answers.get(opcode)
        code, content = 0, b""
        try:
            if work is None:
                raise OSError(errno.ENOSYS, "")
            content = work(node, request[_HEADER.size :])
        except KeyError:
            code = errno.ENOENT
        except OSError as error:
            code = error.errno or errno.EIO
        try:
            os.write(self._device, struct.pack("<IiQ", 16 + len(content), -code, unique) + content)
        except OSError as error:
            if error.errno != errno.ENOENT:  # whoever asked was killed
                raise
        return True

    # ------------------------------------------------------------ attributes

    def _packed(self, node: Node) -> bytes:
        size = len(node.data) or len(node.target)
        moment = node.mtime + self._offset
        at, nano = int(moment), int(moment % 1 * 1e9)
        times = (at, at, at, nano, nano, nano)
        return struct.pack(
            "<QQQQQQIIIIIIIIII",
            *(node.id, size, (size + 511) // 512, *times[:3], *times[3:]),
            *(node.mode, max(node.nlink, 1), 0, 0, 0, 4096, 0),
        )

    def _entry(self, node: Node) -> bytes:
        return struct.pack("<QQQQII", node.id, 0, _FOREVER, 0, 0, 0) + self._packed(node)

    def _attributes(self, number: int) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + self._packed(self._live.nodes[number])

    def _setattr(self, number: int, body: bytes) -> bytes:
        fields = struct.unpack_from("<IIQQQQQQIIIII", body)
        valid, size, mtime, nano, mode = fields[0], fields[3], fields[6], fields[9], fields[11]
        node = self._live.nodes[number]
        if valid & _SIZE:
            self._live.change("size", number, size)
            self._live.touch(number)
        if valid & _MODE:
            self._live.change("mode", number, stat.S_IFMT(node.mode) | stat.S_IMODE(mode))
        if valid & _MTIME_NOW:
            self._live.touch(number)
        elif valid & _MTIME:
            node.mtime = mtime + nano / 1e9 - self._offset
        return self._attributes(number)

    # ------------------------------------------------------------ names

    def _lookup(self, directory: int, body: bytes) -> bytes:
        return self._entry(self._live.nodes[self._entries(directory)[_name(body)]])

    def _entries(self, directory: int) -> dict[bytes, int]:
        return self._live.nodes[directory].entries

    def _symlink(self, directory: int, body: bytes) -> bytes:
        name, target, _ = body.split(b"\0")
        return self._entry(self._live.make(directory, name, stat.S_IFLNK | 0o777, target))

    def _mknod(self, directory: int, body: bytes) -> bytes:
        (mode,) = struct.unpack_from("<I", body)
        return self._entry(self._live.make(directory, _name(body[16:]), mode))

    def _mkdir(self, directory: int, body: bytes) -> bytes:
        (mode,) = struct.unpack_from("<I", body)
        made = self._live.make(directory, _name(body[8:]), stat.S_IFDIR | mode)
        made.nlink = 2
        return self._entry(made)

    def _unlink(self, directory: int, body: bytes) -> bytes:
        self._live.unlink(directory, _name(body))
        return b""

    def _rmdir(self, directory: int, body: bytes) -> bytes:
        if self._entries(self._entries(directory)[_name(body)]):
            raise OSError(errno.ENOTEMPTY, "")
        return self._unlink(directory, body)

    def _rename(self, directory: int, body: bytes, skip: int) -> bytes:
        target, flags = struct.unpack_from("<QI", body + b"\0\0\0\0")
        name, to, _ = body[skip:].split(b"\0")
        there = self._entries(target).get(to)
        if skip == 16 and flags & ~1:
            raise OSError(errno.EINVAL, "")
        if skip == 16 and flags & 1 and there is not None:
            raise OSError(errno.EEXIST, "")
        if there is not None and self._entries(there):
            raise OSError(errno.ENOTEMPTY, "")
        self._live.rename(directory, name, target, to)
        return b""

    def _link(self, directory: int, body: bytes) -> bytes:
        (number,) = struct.unpack_from("<Q", body)
        self._live.link(number, directory, _name(body[8:]))
        return self._entry(self._live.nodes[number])

    def _readdir(self, directory: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        out = b""
        names = [(b".", directory), (b"..", directory), *self._entries(directory).items()]
        for at, (name, number) in enumerate(names[offset:], offset + 1):
            kind = stat.S_IFMT(self._live.nodes[number].mode) >> 12
            one = struct.pack("<QQII", number, at, len(name), kind) + name
            one += bytes(-len(one) % 8)
            if len(out) + len(one) > size:
                break
            out += one
        return out

    # ------------------------------------------------------------ files

    def _open(self, number: int, _: bytes) -> bytes:
        self._live.nodes[number].opened += 1
        return struct.pack("<QII", number, 2, 0)  # what the kernel has of it is still right

    def _create(self, directory: int, body: bytes) -> bytes:
        _, mode = struct.unpack_from("<II", body)
        made = self._live.make(directory, _name(body[16:]), stat.S_IFREG | stat.S_IMODE(mode))
        return self._entry(made) + self._open(made.id, b"")

    def _release(self, number: int, _: bytes) -> bytes:
        self._live.nodes[number].opened -= 1
        self._live.forget(number)
        return b""

    def _read(self, number: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return bytes(self._live.nodes[number].data[offset : offset + size])

    def _write(self, number: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        self._live.change("write", number, offset, body[40 : 40 + size])
        self._live.touch(number)
        return struct.pack("<II", size, 0)

    def _allocate(self, number: int, body: bytes) -> bytes:
        _, offset, length, mode = struct.unpack_from("<QQQI", body)
        node = self._live.nodes[number]
        if mode == 0:
            if offset + length > len(node.data):
                self._live.change("size", number, offset + length)
        elif mode == 3:  # a hole, of the same size
            length = max(0, min(length, len(node.data) - offset))
            self._live.change("write", number, offset, bytes(length))
        else:
            raise OSError(errno.EOPNOTSUPP, "")
        return b""

    def _sync(self, number: int, _: bytes) -> bytes:
        self._live.change("sync", number)
        return b""

    def _init(self, _: int, body: bytes) -> bytes:
        _, _, ahead, _ = struct.unpack_from("<IIII", body)
        flags = 1 << 5 | 1 << 22  # writes of many pages
        pages = _MOST // 4096
        return struct.pack("<IIIIHHIIHH32x", 7, 31, ahead, flags, 12, 9, _MOST, 1, pages, 0)


def _name(body: bytes) -> bytes:
    return body[: body.index(b"\0")]


def mount(directory: str) -> int:
    """Mount a new file system; the device over which the kernel asks.

    Raises:
        OSError: this machine does not let us.
    """
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    options += ",default_permissions"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"anyon-power", os.fsencode(directory), b"fuse", 6, options.encode()):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), directory)
    return device


def main(directory: str, journal: str) -> None:
    """Serve until it is unmounted."""
    device = mount(directory)
    with open(journal, "wb", buffering=1 << 20) as file:

        def record(change: Change) -> None:
            marshal.dump(tuple(change), file)

        live = Live(record, time.monotonic)
        server = FuseServer(device, live)
        print("mounted", flush=True)
        poll = select.poll()
        poll.register(device, select.POLLIN)
        poll.register(0, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == device:
                    if not server.answer():
                        return
                elif os.read(0, 64):
                    live.change("all", ROOT)
                    print("done", flush=True)
                else:
                    poll.unregister(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
