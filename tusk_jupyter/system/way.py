"""The way to a path: every folder and link that is passed on it; who may rename in one of them decides what the path means.

A folder of ours is not enough: who owns the folder around it, or may write there, renames ours and puts their own under its
name. So each folder on the way is this user's or root's, and closed to others or sticky, as sshd and sudo ask it. What is
passed on the system's own way to this user's home folder is not judged, as sshd does it: who may rename that has the account
already.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tusk_jupyter.system import belongings
from tusk_jupyter.system.belongings import HAS_OWNERS

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
LONGEST_CHAIN = 40
"""Links on a way; the system follows as many."""

_UNMAPPED = 65534
"""What owners outside of a user namespace are shown as: there, root's folders are nobody's."""


def weakness(path: Path) -> str | None:
    """Return who else may change what an absolute path leads to; None when nobody may.

    Judged are the folders in which a name on the way is looked up, links followed, and not what the path itself names.
    What is not there yet ends the way: whoever makes it answers for it.
    """
    if not HAS_OWNERS:
        return None
    problems: list[tuple[Path, str]] = []
    for place, found, is_end in _passed(path):
        if stat.S_ISLNK(found.st_mode):
            problem = _problem_of_link(place, found)
        else:
            if _is_own_home(found):
                to_home = {passed for passed, _, _ in _passed(_home_of(found.st_uid))}
                problems = [one for one in problems if one[0] not in to_home]
            problem = None if is_end else _problem_of(place, found)
        if problem is not None:
            problems.append((place, problem))
    return problems[0][1] if problems else None


def _passed(path: Path) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Yield each folder and link that is passed on an absolute path, with its own status and whether the path ends there."""
    root, *names = path.absolute().parts
    here, left, links = Path(root), names[::-1], 0
    yield here, here.lstat(), not left
    while left:
        name = left.pop()
        if name == "..":  # no link: those are taken apart, so this is where it leads
            here = here.parent
            continue
        try:
            found = (here / name).lstat()
        except OSError:
            break
        if stat.S_ISLNK(found.st_mode):
            links += 1
            yield here / name, found, False
            if links > LONGEST_CHAIN:
                break
            target = (here / name).readlink()
            here = Path(root) if target.is_absolute() else here
            left += [part for part in target.parts if part != root][::-1]
            continue
        here = here / name
        yield here, found, not left


def _problem_of_link(link: Path, found: os.stat_result) -> str | None:
    if _is_trusted(found.st_uid):
        return None
    return f"{link} is a link of another user (uid {found.st_uid}), who may change it"


def _problem_of(folder: Path, found: os.stat_result) -> str | None:
    if not _is_trusted(found.st_uid):
        return f"{folder} belongs to another user (uid {found.st_uid}), who may rename what is in it"
    mode = found.st_mode
    if mode & stat.S_ISVTX or not mode & OTHERS_WRITE:
        return None
    if not mode & stat.S_IWOTH and _is_private_group(found.st_gid):
        return None
    return f"{folder} has mode {stat.S_IMODE(mode):04o}, so others may rename what is in it"


def _is_trusted(uid: int) -> bool:
    return uid in (belongings.user_id(), 0) or (uid == _UNMAPPED and not _is_mapped(uid))


def _is_mapped(uid: int) -> bool:
    """Return whether a user of this user namespace can have an id; outside of such a namespace any user can."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return True
    ranges = [(int(first), int(count)) for first, _, count in (line.split() for line in lines)]
    return not ranges or any(first <= uid < first + count for first, count in ranges)


def _is_own_home(found: os.stat_result) -> bool:
    """Return whether a folder is the one that the system, and not the environment, calls this user's home."""
    if found.st_uid != belongings.user_id() or found.st_uid == 0:
        return False
    try:
        return os.path.samestat(found, _home_of(found.st_uid).stat())
    except (KeyError, OSError):
        return False


def _home_of(uid: int) -> Path:
    """Return a user's home as the system has it.

    Raises:
        KeyError: the system does not know the user.
    """
    import pwd

    return Path(pwd.getpwuid(uid).pw_dir)


def _is_private_group(gid: int) -> bool:
    """Return whether nobody but this user and root is in a group: with a umask of 002 all folders are writable by such a one.

    A group without a name, as containers give it to the volumes of one pod, is private to the processes that have it.
    """
    import grp
    import pwd

    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        return gid == os.getegid() or gid in os.getgroups()
    accounts = pwd.getpwall()
    members |= {one.pw_name for one in accounts if one.pw_gid == gid}
    return members <= {one.pw_name for one in accounts if one.pw_uid in (belongings.user_id(), 0)}
