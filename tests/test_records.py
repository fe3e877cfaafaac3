"""Records: JSONL as untrusted data, and files that survive a crash."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import RecordError, records
from maskcodec.records import Record, dump_line, read_json, read_records
from maskcodec.writing import LineFile, atomic, atomic_folder, check_output, cut_torn_line


def lines(path: Path) -> list[str]:
    """What reading gives: each record's fields as JSON, or the message of its error."""
    return [
        str(item) if isinstance(item, RecordError) else json.dumps(item.fields)
        for item in read_records(path)
    ]


def record(**fields: Any) -> Record:
    return Record("f.jsonl", 3, fields)


def test_one_bad_line_costs_one_line(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"a": 1}\n\n[1]\n{"a": \xff}\n{"a": NaN}\n{"a": 1e999}\n{"a":\n   \n{"a": 2}'
    )
    assert lines(path) == [
        '{"a": 1}',
        f"{path}:3: is [1], expected an object",
        f"{path}:4: is not UTF-8 (byte 6 is 0xff); save it as UTF-8",
        f"{path}:5: holds NaN, expected a finite number",
        f"{path}:6: holds '1e999', expected a number that a float can hold",
        f"{path}:7: is not JSON: Expecting value (column 6)",
        '{"a": 2}',
    ]


def test_hostile_json(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("[" * 100_000 + "\n" + '{"a": ' + "9" * 5_000 + "}\n" + '{"a": 1}\n')
    nested, digits, good = lines(path)
    assert "nested too deep" in nested
    assert ":2: holds a number with too many digits" in digits
    assert good == '{"a": 1}'


def test_a_line_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_LINE", 20)
    path = tmp_path / "r.jsonl"
    path.write_text('{"a": "' + "x" * 100 + '"}\n{"a": 1}\n{"b": "' + "x" * 100)
    first, second, third = lines(path)
    assert first == f"{path}:1: is longer than 20 bytes"
    assert second == '{"a": 1}'
    assert third == f"{path}:3: is longer than 20 bytes"


def test_gzip(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.gz"
    whole = gzip.compress(b'{"a": 1}\n' * 5_000, mtime=0)
    path.write_bytes(whole)
    assert len(lines(path)) == 5_000
    path.write_bytes(whole[: len(whole) // 2])
    cut = lines(path)
    assert set(cut[:-1]) <= {'{"a": 1}'}
    assert "the file ends in the middle" in cut[-1]
    path.write_bytes(b'{"a": 1}\n')
    assert "ends in the middle" in lines(path)[0]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    assert lines(path) == [f"{path}: is empty, expected one JSON object a line"]
    with pytest.raises(RecordError, match="is empty, expected JSON"):
        read_json(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        read_records(tmp_path / "missing.jsonl")
    with pytest.raises(RecordError, match="is a folder, expected a file"):
        read_json(tmp_path)
    for name in ("x" * 5_000, "a\x00b"):
        with pytest.raises(RecordError, match=r"no such file|can't be opened"):
            read_json(tmp_path / name)


def test_json_says_the_line_of_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n "a": 1,\n "b": oops\n}')
    with pytest.raises(RecordError) as caught:
        read_json(path)
    assert (caught.value.file, caught.value.line) == (str(path), 3)
    path.write_bytes(b'{\n "a": "\xe9"}')
    with pytest.raises(RecordError, match=r"a\.json:2: is not UTF-8"):
        read_json(path)


@pytest.mark.parametrize(
    ("get", "value", "message"),
    [
        (Record.text, 3, "is 3, expected a string"),
        (Record.text, None, "is null, expected a string"),
        (Record.text, "\ud800", "half a surrogate pair"),
        (Record.whole, True, "is true, expected a whole number"),
        (Record.whole, 1.5, "is 1.5, expected a whole number"),
        (Record.whole, float("inf"), "is inf, expected a whole number"),
        (Record.whole, "3", "is '3', expected a whole number"),
        (Record.whole, [1, 2, 3, 4, 5], "is a list of 5, expected"),
        (Record.whole, {"a": 1}, "is an object, expected"),
        (Record.identifier, "", "is '', expected a name"),
        (Record.identifier, False, "is false, expected a name"),
        (Record.identifier, 1.5, "is 1.5, expected a name or a whole number"),
        (Record.identifier, float("nan"), "is nan, expected a name or a whole number"),
        (Record.identifier, 2.0**53, "expected a name or a whole number"),
        (Record.items, "ab" * 50, r"\(100 characters\), expected a list"),
        (Record.size, [4], r"is \[4\], expected \[height, width\] in pixels"),
        (Record.size, [4, "5"], r"expected \[height, width\] in pixels"),
        (Record.size, [4, True], r"expected \[height, width\] in pixels"),
        (Record.size, [4, 10**400], r"expected \[height, width\] in pixels"),
        (Record.size, [4, 5.5], "two whole numbers of pixels"),
        (Record.size, [0, 5], "each side must be 1 to 65,536"),
        (Record.size, [65_536, 65_536], "the area at most"),
    ],
)
def test_fields_of_a_wrong_type(
    get: Callable[[Record, str], object], value: Any, message: str
) -> None:
    with pytest.raises(RecordError, match=r"^f.jsonl:3, field 'x': .*" + message) as caught:
        get(record(x=value), "x")
    assert (caught.value.file, caught.value.line, caught.value.field) == ("f.jsonl", 3, "x")
    with pytest.raises(RecordError, match=r"field 'x': is missing \(fields here: 'y'\)"):
        get(record(y=value), "x")


def test_fields_of_a_right_type() -> None:
    good = record(t="a", n=3.0, id=7, size=[480.0, 640])
    assert (good.text("t"), good.whole("n"), good.identifier("id")) == ("a", 3, "7")
    assert good.size() == (480, 640)
    assert good.text("z", "default") == good.identifier("z", "default") == "default"
    assert good.identifier("z", 5) == "5"
    assert record(id=7.0).identifier("id") == "7"


@given(
    st.dictionaries(
        st.text(st.characters(), max_size=3),
        st.text(st.characters(), max_size=8) | st.integers() | st.floats(-1e9, 1e9) | st.none(),
    )
)
def test_any_record_comes_back(fields: dict[str, Any]) -> None:
    line = dump_line(fields)
    assert line.count(b"\n") == 1
    assert json.loads(line) == fields


def test_half_a_surrogate_pair_is_written_as_an_escape() -> None:
    assert dump_line({"a": "\ud800é"}) == b'{"a": "\\ud800\\u00e9"}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_line({"a": float("nan")})


def test_atomic_writes_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.json"

    def fail() -> None:
        with atomic(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []
    with atomic(path) as stream:
        stream.write(b"whole")
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"whole"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fill(content: bytes, *, fail: bool = False) -> None:
        with atomic_folder(tmp_path / "model") as part:
            (part / "weights").write_bytes(content)
            if fail:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(b"half", fail=True)
    assert not list(tmp_path.iterdir())
    fill(b"all")
    with pytest.raises(OSError, match="model"):
        fill(b"other")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model/weights").read_bytes() == b"all"


@given(st.binary(max_size=200), st.integers(0, 300))
def test_a_torn_line_is_cut(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "f"
    path.write_bytes(data[:cut])
    kept = data[:cut][: data[:cut].rfind(b"\n") + 1]
    assert cut_torn_line(path) == len(data[:cut]) - len(kept)
    assert path.read_bytes() == kept


def test_a_long_torn_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for lead in (b"", b"first\n", b"x" * 65_535 + b"\n"):
        path.write_bytes(lead + b"y" * 200_000)
        cut_torn_line(path)
        assert path.read_bytes() == lead


def test_a_line_file_continues(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    first = LineFile(path)
    assert not path.exists()
    first.append({"n": 1})
    first.append({"n": 2})
    assert path.read_bytes() == b'{"n": 1}\n{"n": 2}\n'  # before it is closed
    with path.open("ab") as stream:
        stream.write(b'{"n": 3')
    second = LineFile(path, resume=True)
    second.append({"n": 3})
    assert path.read_bytes() == b'{"n": 1}\n{"n": 2}\n{"n": 3}\n'
    LineFile(path)
    assert not path.exists()
    first.close()
    second.close()


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    class FullDisk:
        """A file that takes ten bytes more."""

        def __init__(self, file: Any) -> None:
            self.file = file
            self.room = 10

        def write(self, data: memoryview) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            written: int = self.file.write(data[: self.room])
            self.room -= written
            return written

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    path = tmp_path / "out.jsonl"
    out = LineFile(path)
    out.append({"n": 1})
    out._file = FullDisk(out._file)
    with pytest.raises(OSError, match="No space left"):
        out.append({"n": "x" * 50})
    assert path.read_bytes() == b'{"n": 1}\n'
    out.close()


def test_where_a_file_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    with pytest.raises(RecordError, match="exists already; give another name, or --overwrite"):
        check_output(tmp_path / "there", may_exist=False)
    with pytest.raises(RecordError, match="is a folder"):
        check_output(tmp_path, may_exist=True)
    with pytest.raises(RecordError, match="does not exist; make it first"):
        check_output(tmp_path / "no" / "file", may_exist=True)
    check_output(tmp_path / "there", may_exist=True)
    check_output(tmp_path / "new", may_exist=False)
    assert [one.name for one in tmp_path.iterdir()] == ["there"]


def test_a_folder_that_takes_no_files_is_found_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RecordError, match="file: can't be written: Permission denied"):
        check_output(tmp_path / "file", may_exist=True)
