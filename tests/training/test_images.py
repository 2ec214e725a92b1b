"""Images of a run: a folder in the language it is said to be in, a data set of the hub, some kept aside."""
import pytest
from datasets import Dataset, Features, Value
from datasets import Image as Picture
from PIL import Image
from tiny import config, few_images

from rrvf_lab.training.images import read_images, split_images, with_prompts


@pytest.fixture
def on_the_hub(tmp_path):
    """A data set as the hub holds them (here a folder, which `datasets` reads alike): pictures, captions."""
    rows = {"caption": ["a", "b", "c"], "screen": [Image.new("RGBA", (40, 30), (0, 0, 0, 0))] * 3}
    table = Dataset.from_dict(rows, features=Features({"caption": Value("string"), "screen": Picture()}))
    table.to_parquet(tmp_path / "data" / "train-00000.parquet")
    return f"hub:{tmp_path / 'data'}"


def test_of_a_data_set_only_the_pictures_are_taken(on_the_hub):
    images = read_images(f"{on_the_hub}:train[:2]", "html")
    assert set(images.column_names) == {"id", "image", "language"} and len(images) == 2
    assert images[1]["id"] == "000001" and images[1]["language"] == "html"
    prepared = with_prompts(images, 2)[0]
    assert prepared["image"].mode == "RGB" and prepared["image"].getpixel((5, 5)) == (255, 255, 255)
    assert "html" in prepared["prompt"][1]["content"].lower()


def test_a_data_set_without_pictures_is_named(tmp_path):
    Dataset.from_dict({"text": ["a"]}).to_parquet(tmp_path / "data" / "train-00000.parquet")
    with pytest.raises(ValueError, match="has no column of pictures, only text; choose a data set with one"):
        read_images(f"hub:{tmp_path / 'data'}")


def test_a_folder_of_another_name_is_in_the_language_that_is_set(tmp_path):
    images, kept = split_images(config(tmp_path, language="svg"))
    assert set(images["language"]) == {"svg"} and kept is None


def test_images_to_validate_on_are_kept_out_of_training(tmp_path):
    images, kept = split_images(config(tmp_path, eval_steps=1, eval_images=1))
    assert len(kept) == 1 and len(images) == len(list(few_images().iterdir())) - 1
    assert not set(images["id"]) & set(kept["id"])
