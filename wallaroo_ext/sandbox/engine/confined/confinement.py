"""Confines a process: resource limits and, on Linux, a network namespace of its own, Landlock and seccomp.

Each layer is tried, and the names of those in force are returned; a kernel or a container may not support or allow one.
Landlock and seccomp take a few system calls, which are made here without a library; see landlock(7) and seccomp(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

_IS_LINUX = sys.platform.startswith("linux")
_MIB = 1 << 20
_NICE = 10
_OPEN_FILES = 64
_EXTRA_ADDRESSES = 2048 * _MIB  # address space without memory, of libraries and of the allocator's reserve

_SET_DEATH_SIGNAL, _SET_SECCOMP, _SET_NO_NEW_PRIVILEGES, _FILTER = 1, 22, 38, 2
_SIGKILL = 9
_NEW_IPC, _NEW_USER, _NEW_NETWORK = 0x08000000, 0x10000000, 0x40000000

_LANDLOCK_CREATE, _LANDLOCK_RESTRICT, _ASK_VERSION = 444, 446, 1
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # by the version that added them
_NETWORK_RIGHTS_SINCE, _NETWORK_RIGHTS = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11

_X86, _ARM = "x86_64", "aarch64"
_ARCHITECTURES = {_X86: 0xC000003E, _ARM: 0xC00000B7}
_X32_CALLS = 0x40000000  # system calls of the ABI x32 have this bit
_CLONE, _CLONE_3, _CLONE_THREAD = {_X86: 56, _ARM: 220}, 435, 0x10000
_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {  # their numbers on x86_64 and on ARM
    "open": (2, None),
    "creat": (85, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "rt_tgsigqueueinfo": (297, 240),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "umount2": (166, 39),
    "truncate": (76, 45),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "removexattrat": (466, 466),
}
_SELF_ONLY: dict[str, tuple[int, int]] = {  # allowed with 0 as the first argument, which means the process itself
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
}
_OWN_PROCESS_ONLY: dict[str, tuple[int, int]] = {  # allowed with the process's own id first, as abort() has it
    "tgkill": (234, 131),
}
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW, _FAIL, _NOT_PERMITTED, _NO_SUCH_CALL = 0x7FFF0000, 0x00050000, 1, 38


def isolate() -> list[str]:
    """Cut this process off from the machine's network and give it a low priority, while it has one thread.

    Returns:
        The names of the layers that are in force from now on, also for child processes.
    """
    with suppress(OSError):
        os.nice(_NICE)
    if not _IS_LINUX:
        return []
    die_with_parent()
    library = _library()
    for spaces in (_NEW_USER | _NEW_NETWORK | _NEW_IPC, _NEW_NETWORK | _NEW_IPC):
        if library.unshare(spaces) == 0:
            return ["a network of its own"]
    return []


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    if _IS_LINUX:
        _library().prctl(_SET_DEATH_SIGNAL, _SIGKILL, 0, 0, 0)


def confine(memory: int) -> list[str]:
    """Cut this process off from files, the network and other processes for good, while it has one thread.

    It can still use its open files, its memory and further threads.

    Args:
        memory: How much memory it may allocate in addition to what it has, in bytes.

    Returns:
        The names of the layers that are in force.
    """
    layers = ["limits"] if _set_limits(memory) else []
    if not _IS_LINUX:
        return layers
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(
            "1000", encoding="ascii"
        )  # killed first when the system is out of memory
    library = _library()
    if library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return layers
    if version := _landlock(library):
        layers.append(f"Landlock {version}")
    if _seccomp(library):
        layers.append("seccomp")
    return layers


@contextmanager
def reserve(memory: int) -> Generator[None]:
    """Lower the memory limit of this confined process by a number of bytes during a `with` block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (max(0, soft - memory), hard))  # the system's own limit may be lower
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _set_limits(memory: int) -> bool:
    """Set the resource limits, and return whether the one of memory is in force."""
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))
    if not _IS_LINUX:
        return False  # macOS accepts the limits of memory, and does not enforce them
    try:
        size, data = _memory_in_use()
        most_data, most_size = data + memory, size + memory + _EXTRA_ADDRESSES
        _lower_limit(resource.RLIMIT_DATA, most_data)
        _lower_limit(resource.RLIMIT_AS, most_size)
    except (OSError, ValueError):
        return False
    return True


def _lower_limit(kind: int, most: int) -> None:
    """Set a limit, or the hard limit if that is lower."""
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _memory_in_use() -> tuple[int, int]:
    """Return the sizes of this process's address space and of its data, in bytes.

    Raises:
        OSError: The system does not tell, for example because /proc is hidden.
    """
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(pages[0]) * resource.getpagesize(), int(pages[5]) * resource.getpagesize()


def _landlock(library: Any) -> int:
    """Forbid files, TCP, and signals to other processes with Landlock.

    Returns:
        The version of Landlock, or 0 if it is not in force.
    """
    version: int = library.syscall(_LANDLOCK_CREATE, None, 0, _ASK_VERSION)
    if version < 1:
        return 0
    rights = [
        sum(bits for since, bits in _FILE_RIGHTS.items() if version >= since),
        _NETWORK_RIGHTS if version >= _NETWORK_RIGHTS_SINCE else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    ]
    count = 3 if version >= _SCOPES_SINCE else 2 if version >= _NETWORK_RIGHTS_SINCE else 1
    attributes = struct.pack(f"<{count}Q", *rights[:count])
    rules: int = library.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if rules < 0:
        return 0
    is_in_force = library.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return version if is_in_force else 0


def _seccomp(library: Any) -> bool:
    """Forbid the system calls that open files, use the network or reach other processes.

    Returns:
        Whether the filter is in force.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return False
    program = _filter(machine, os.getpid())
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    return library.prctl(_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(head, len(head)), 0, 0) == 0


def _filter(machine: str, own_id: int) -> bytes:
    """Return the program of Berkeley Packet Filters that allows or refuses a system call.

    Args:
        machine: The architecture.
        own_id: The id of the process that the filter is for, which cannot fork.
    """
    column = 0 if machine == _X86 else 1
    numbers = [number for calls in _FORBIDDEN.values() if (number := calls[column]) is not None]
    refuse = _FAIL | _NOT_PERMITTED
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, refuse),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _X32_CALLS),
        (_RETURN, 0, 0, refuse),
        (_EQUAL, 0, 1, _CLONE_3),  # a filter cannot see its arguments; the C library falls back to clone
        (_RETURN, 0, 0, _FAIL | _NO_SUCH_CALL),
    ]
    for number in numbers:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    for table, allowed in ((_SELF_ONLY, 0), (_OWN_PROCESS_ONLY, own_id)):
        for calls in table.values():
            steps += [
                (_EQUAL, 0, 4, calls[column]),
                (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
                (_EQUAL, 1, 0, allowed),
                (_RETURN, 0, 0, refuse),
                (_RETURN, 0, 0, _ALLOW),
            ]
    steps += [
        (_EQUAL, 0, 3, _CLONE[machine]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_HAS_BITS, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, refuse),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)
