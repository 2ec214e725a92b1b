"""Files from elsewhere: any line ends and marks, JSON lines with what editors and copies leave in them."""
import codecs
import json

import pytest

from rrvf_lab.leaves.files import json_lines, text_of

SAID = "one\u2028two\u2029three\x85four\x0bfive\x0csix\x1cseven é 🙂"
ROWS = [{"n": 1, "said": SAID}, {"n": 2, "said": "a\nb"}]
RAW = [json.dumps(row, ensure_ascii=False).encode() for row in ROWS]
BOM = codecs.BOM_UTF8

WHOLE = {
    "as we write it": b"\n".join(RAW) + b"\n",
    "no end of line at the end": b"\n".join(RAW),
    "windows": b"\r\n".join(RAW) + b"\r\n",
    "old mac": b"\r".join(RAW) + b"\r",
    "a mark": BOM + b"\n".join(RAW),
    "two files joined, each with a mark": BOM + RAW[0] + b"\n" + BOM + RAW[1] + b"\n",
    "blank lines": b"\n\n" + RAW[0] + b"\n \t\r\n\n" + RAW[1] + b"\n\n\n",
    "a mark and a blank line": BOM + b"\r\n" + b"\n".join(RAW),
    "utf-16, little end first": "\n".join(line.decode() for line in RAW).encode("utf-16"),
    "utf-16, big end first": ("\ufeff" + "\r\n".join(line.decode() for line in RAW)).encode("utf-16-be"),
    "escaped": "\n".join(map(json.dumps, ROWS)).encode(),
}


@pytest.mark.parametrize("how", WHOLE)
def test_the_same_rows_are_read_however_the_file_was_written(how, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(WHOLE[how])
    rows, problems = json_lines(tmp_path / "a.jsonl")
    assert [row for _, row in rows] == ROWS and problems == []


BROKEN = {
    "cut in a text": (b"\n".join(RAW)[:-8], "line 2: no JSON (cut short, the end of the file is missing)"),
    "cut in a letter": (RAW[1] + b"\n" + RAW[0][:RAW[0].index("é".encode()) + 1], "line 2: no JSON (cut sho"),
    "cut before its end": (b"\n".join(RAW)[:-1], "line 2: no JSON (cut short"),
    "no JSON": (RAW[0] + b"\noops\n", "line 2: no JSON (Expecting value)"),
    "cut in the middle": (RAW[0] + b"\n" + RAW[0][:9] + b"\n" + RAW[1] + b"\n", "line 2: no JSON (Exp"),
    "two in a line": (RAW[0] + b"\n" + RAW[1] + RAW[1] + b"\n", "line 2: no JSON (Extra data)"),
    "latin 1": (RAW[0] + b'\n{"n": "caf\xe9"}\n', "line 2: no JSON ("),
    "a list": (RAW[0] + b"\n[1, 2]\n", "line 2: no JSON object but [1, 2]"),
    "very deep": (RAW[0] + b"\n" + b"[" * 200_000 + b"\n", "line 2: no JSON ("),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_line_that_cannot_be_read_is_named_and_the_others_are_kept(how, tmp_path):
    data, said = BROKEN[how]
    (tmp_path / "a.jsonl").write_bytes(data)
    rows, problems = json_lines(tmp_path / "a.jsonl")
    assert len(problems) == 1 and problems[0].startswith(said)
    assert all(row in ROWS for _, row in rows) and rows


@pytest.mark.parametrize("data", [b"", b"\n\n", BOM, BOM + b"\n"])
def test_a_file_without_rows_has_no_problem(data, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(data)
    assert json_lines(tmp_path / "a.jsonl") == ([], [])


@pytest.mark.parametrize("data", [b"a = 1\nb", b"a = 1\r\nb", b"a = 1\rb", BOM + b"a = 1\r\nb",
                                  "a = 1\nb".encode("utf-16"), "\ufeffa = 1\r\nb".encode("utf-16-be")])
def test_a_text_is_the_same_from_every_editor(data):
    assert text_of(data) == "a = 1\nb"
