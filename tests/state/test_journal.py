"""The journal: nothing acknowledged is lost, nothing damaged passes for sound, nothing half written is an error."""

# XL-20, C-36

from __future__ import annotations

import os
import random
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tusk_jupyter.errors import StorageError
from tusk_jupyter.state import frame
from tusk_jupyter.state import journal as journal_module
from tusk_jupyter.state.frame import Damage, Record
from tusk_jupyter.state.journal import Journal

WORDS = ["select 1", "ünïcode ✓ 🐘", "line\nbreak", "", "x" * 3000]


def fill(folder: Path, count: int, **options: int) -> list[tuple[int, str, dict]]:
    journal = Journal(folder, **options)
    try:
        return [
            (
                journal.append("run.start", {"n": n, "sql": WORDS[n % len(WORDS)]}),
                "run.start",
                {"n": n, "sql": WORDS[n % len(WORDS)]},
            )
            for n in range(count)
        ]
    finally:
        journal.close()


def records_of(folder: Path) -> tuple[list[tuple[int, str, dict]], list[Damage]]:
    journal = Journal(folder)
    try:
        found = list(journal.read())
    finally:
        journal.close()
    return (
        [(one.seq, *one.load()) for one in found if isinstance(one, Record)],
        [one for one in found if isinstance(one, Damage)],
    )


def test_what_was_appended_is_read_back_in_order_after_reopening(tmp_path):
    written = fill(tmp_path / "j", 20)
    assert records_of(tmp_path / "j") == (written, [])
    assert [seq for seq, _, _ in written] == list(range(1, 21))


def test_appending_goes_on_where_it_ended(tmp_path):
    fill(tmp_path / "j", 3)
    journal = Journal(tmp_path / "j")
    assert journal.append("x", {}) == 4
    journal.close()


def test_segments_rotate_and_are_read_as_one(tmp_path):
    written = fill(tmp_path / "j", 60, segment_bytes=4000)
    journal = Journal(tmp_path / "j")
    assert len(journal.segments()) > 5
    assert [one.seq for one in journal.read(after=41)] == list(range(42, 61))
    journal.close()
    assert records_of(tmp_path / "j") == (written, [])


def test_a_missing_segment_is_reported_with_the_numbers_that_are_gone(tmp_path):
    fill(tmp_path / "j", 60, segment_bytes=4000)
    second, third = sorted((tmp_path / "j").iterdir())[1:3]
    first_gone, first_there = int(second.stem), int(third.stem)
    second.unlink()
    records, damage = records_of(tmp_path / "j")
    assert [str(one) for one in damage] == [
        f"{third.name} at byte 0: records {first_gone} to {first_there - 1} are missing"
    ]
    assert len(records) == 60 - (first_there - first_gone)


def test_a_record_cut_short_at_any_offset_is_cut_off_without_an_error(tmp_path):
    written = fill(tmp_path / "j", 12)
    (segment,) = (tmp_path / "j").iterdir()
    whole = segment.read_bytes()
    ends = [frame.PREFACE.size]
    for found in frame.scan(segment):
        ends.append(ends[-1] + frame.HEADER_BYTES + len(found.raw))
    offsets = random.Random(1).sample(range(len(whole)), 200)
    for offset in [*offsets, *ends]:
        segment.write_bytes(whole[:offset])
        kept = sum(end <= offset for end in ends[1:])
        journal = Journal(tmp_path / "j")
        assert (journal.last_seq, journal.damage) == (kept, []), offset
        assert journal.append("after", {}) == kept + 1
        journal.close()
        records, damage = records_of(tmp_path / "j")
        assert (records[:-1], damage) == (written[:kept], []), offset


def test_a_stranger_s_file_in_the_folder_is_left_alone(tmp_path):
    written = fill(tmp_path / "j", 3)
    (tmp_path / "j" / "copy.journal").write_text("mine")
    assert records_of(tmp_path / "j") == (written, [])


@pytest.mark.parametrize("name", ["00000000000000000001", "00000000000000000007", "20261129000000000000"])
@pytest.mark.parametrize("content", [b"mine", b"my diary, 40 bytes of text that is mine.."])
def test_a_stranger_s_file_with_the_name_of_a_segment_is_refused_and_left_alone(tmp_path, name, content):
    path = tmp_path / "j" / f"{name}.journal"
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StorageError, match=rf"{path} is named as a part of the journal, and is none"):
        Journal(tmp_path / "j")
    assert path.read_bytes() == content


def test_zeros_behind_the_last_record_are_a_cut_too(tmp_path):
    written = fill(tmp_path / "j", 5)
    (segment,) = (tmp_path / "j").iterdir()
    with segment.open("ab") as file:
        file.write(bytes(5000))
    assert records_of(tmp_path / "j") == (written, [])


def test_every_flipped_bit_is_reported_and_no_altered_record_comes_out(tmp_path):
    written = fill(tmp_path / "j", 12)
    (segment,) = (tmp_path / "j").iterdir()
    whole = segment.read_bytes()
    chance = random.Random(2)
    places = [*range(frame.PREFACE.size + frame.HEADER_BYTES), *chance.sample(range(len(whole)), 250)]
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        segment.write_bytes(flipped)
        journal = Journal(tmp_path / "j")
        found = list(journal.read())
        damage = [*journal.damage, *(one for one in found if isinstance(one, Damage))]
        journal.close()
        assert damage, place
        kept = [(one.seq, *one.load()) for one in found if isinstance(one, Record)]
        assert all(one in written for one in kept), place
        assert len(kept) >= len(written) - 1, place


def test_threads_share_a_disk_sync(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j")
    syncs = []
    all_wait = threading.Event()

    def sync(fd: int) -> None:
        if not syncs:
            assert all_wait.wait(30)
        syncs.append(fd)
        os.fdatasync(fd)

    monkeypatch.setattr(journal_module, "_sync", sync)
    threads = [threading.Thread(target=journal.append, args=("x", {})) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(journal._pending.records) < 7:
        threading.Event().wait(0.001)
    all_wait.set()
    for thread in threads:
        thread.join()
    assert (journal.last_seq, len(syncs)) == (8, 2)
    journal.close()


def test_one_thread_has_one_disk_sync_for_each_append(tmp_path, monkeypatch):
    syncs = []
    journal = Journal(tmp_path / "j")
    monkeypatch.setattr(journal_module, "_sync", syncs.append)
    for _ in range(50):
        journal.append("x", {})
    assert len(syncs) == 50
    journal.close()


def test_eight_threads_lose_nothing_and_keep_each_their_order(tmp_path):
    journal = Journal(tmp_path / "j", segment_bytes=30_000)
    heard: list[int] = []
    journal.on_durable(lambda records: heard.extend(one.seq for one in records))
    numbers: dict[int, list[int]] = {thread: [] for thread in range(8)}

    def work(thread: int) -> None:
        for n in range(500):
            numbers[thread].append(journal.append("x", {"thread": thread, "n": n}))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    records, damage = records_of(tmp_path / "j")
    assert not damage
    assert heard == [seq for seq, _, _ in records] == list(range(1, 4001))
    by_seq = {seq: body for seq, _, body in records}
    for thread, seqs in numbers.items():
        assert [by_seq[seq] for seq in seqs] == [{"thread": thread, "n": n} for n in range(500)]


FULL = """
import resource, sys
from pathlib import Path
from tusk_jupyter.errors import StorageError
from tusk_jupyter.state.journal import Journal
journal = Journal(Path(sys.argv[1]))
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
refused = 0
for n in range(200):
    before = Path(journal.segments()[-1]).stat().st_size
    try:
        print(journal.append("x", {"n": n, "pad": "y" * (n % 37)}))
    except StorageError as exc:
        refused += 1
        assert Path(journal.segments()[-1]).stat().st_size == before
        assert "could not be written" in str(exc), exc
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit + 700 * refused, resource.RLIM_INFINITY))
print("refused", refused)
"""


@pytest.mark.parametrize("limit", [600, 1111, 2222, 4321])
def test_a_full_disk_refuses_the_record_and_leaves_the_file_as_it_was(tmp_path, limit):
    Journal(tmp_path / "j").close()
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "j"), str(limit)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    *acknowledged, last = ended.stdout.split("\n")[:-1]
    assert int(last.split()[1]) > 3
    records, damage = records_of(tmp_path / "j")
    assert ([str(seq) for seq, _, _ in records], damage) == (acknowledged, [])


def test_a_segment_that_cannot_be_begun_leaves_the_last_one_whole(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j", segment_bytes=100)
    journal.append("x", {"pad": "y" * 100})

    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "sync_directory", fail)
        with pytest.raises(StorageError, match="No space left"):
            journal.append("x", {})
    assert journal.append("x", {}) == 2
    journal.close()
    assert [seq for seq, _, _ in records_of(tmp_path / "j")[0]] == [1, 2]


def test_a_stranger_s_file_in_the_place_of_the_next_segment_is_left_alone(tmp_path):
    journal = Journal(tmp_path / "j", segment_bytes=100)
    journal.append("x", {"pad": "y" * 100})
    stranger = tmp_path / "j" / "00000000000000000002.journal"
    stranger.write_bytes(b"mine")
    stranger.chmod(0o600)
    with pytest.raises(StorageError, match="File exists") as caught:
        journal.append("x", {})
    assert f"{stranger} has the name of its next part" in caught.value.hint
    assert stranger.read_bytes() == b"mine"
    stranger.unlink()
    assert journal.append("x", {}) == 2
    journal.close()
    assert [seq for seq, _, _ in records_of(tmp_path / "j")[0]] == [1, 2]


def test_its_files_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        fill(tmp_path / "j", 60, segment_bytes=4000)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "j").iterdir()} == {0o600}


def test_a_closed_journal_says_so(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.close()
    journal.close()
    with pytest.raises(StorageError, match="is closed"):
        journal.append("x", {})


def test_a_body_that_is_not_plain_is_refused_before_anything_is_written(tmp_path):
    journal = Journal(tmp_path / "j")
    with pytest.raises(TypeError):
        journal.append("x", {"n": object()})
    assert journal.append("x", {}) == 1
    journal.close()
