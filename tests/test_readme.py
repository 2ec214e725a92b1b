"""What the README says was measured stands in the lab book, and its commands exist."""
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def measured():
    """The rows of the README's table of measurements, and the paragraph of the claims."""
    table = README.split("| | measured | with |")[1].split("\n\n")[0]
    claims = README.split("**The claims, with this model**")[1].split("**Limits.**")[0]
    return table + claims


def test_every_number_that_was_measured_stands_in_the_lab_book():
    book = (ROOT / "notebooks" / "LOG.md").read_text()
    numbers = re.findall(r"\d+\.\d{2,3}|\d+ of \d+", measured())
    assert len(numbers) > 15
    assert [number for number in numbers if number not in book] == []


def test_every_command_and_file_it_names_is_there():
    for target in re.findall(r"`?make (\w+)", README):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
    for path in re.findall(r"`((?:tests|data|notebooks|rrvf_lab)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(((?:notebooks|data)/[^)]+)\)", README):
        assert (ROOT / path).exists(), path
