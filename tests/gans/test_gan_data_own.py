"""A user's own data: arrays, tables, data sets and loaders of PyTorch, pictures of any shape, and what is refused."""

import numpy as np
import pytest
import torch
from data_cases import datasets
from torch.utils.data import DataLoader, IterableDataset, TensorDataset, WeightedRandomSampler

import gandyn as gd
from gandyn.errors import MissingDependencyError, ParameterError, ShapeError

POINTS = np.arange(12.0).reshape(6, 2)


def game(data, **options):
    return gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), data=data, batch_size=5, **options)


def write(path, text):
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".npy", ".npz", "array"])
def test_the_same_rows_come_back_from_every_form(tmp_path, kind):
    path = tmp_path / f"rows{kind}"
    if kind in (".csv", ".tsv"):
        mark = "," if kind == ".csv" else "\t"
        write(path, "\n".join([mark.join("xy"), *(mark.join(map(str, row)) for row in POINTS)]) + "\n")
    elif kind == ".npy":
        np.save(path, POINTS)
    elif kind == ".npz":
        np.savez(path, points=POINTS)
    played = game(POINTS if kind == "array" else path if kind == ".tsv" else str(path))
    assert played.data.points.numpy().tolist() == POINTS.tolist()
    real = played.draw(np.random.default_rng(0)).real
    assert real.dtype == torch.float32
    assert all(row in POINTS.tolist() for row in real.tolist())


def test_columns_and_labels_by_name(tmp_path):
    path = write(tmp_path / "pets.csv", "a,kind,b\n1,dog,2\n3,cat,4\n5,dog,6\n")
    data = datasets.table(path, labels="kind")
    assert data.points.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert data.labels.tolist() == [1, 0, 1]
    assert datasets.table(path, columns=["b"]).points.tolist() == [[2], [4], [6]]
    np.savez(tmp_path / "pictures.npz", x=np.zeros((4, 1, 3, 5), np.uint8), y=np.array([0, 0, 1, 1]))
    pictures = datasets.table(str(tmp_path / "pictures.npz"), labels="y", held_out=0.5)
    assert (pictures.shape, pictures.classes, len(pictures.held_out)) == ((1, 3, 5), 2, 2)
    assert pictures.points.unique().tolist() == [-1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,\n", "row 3 of it.csv, column 'b': ''"),
        ("a,b\n1,nan\n", "row 2 of it.csv, column 'b': 'nan'"),
        ("a,b\n1,dog\n", "labels='b'"),
        ("a,b\n1\n", "row 2 of it.csv with 1 cells under 2 names"),
        ("a,a\n1,2\n", "two columns of one name"),
        ("a,b\n", "1 rows"),
    ],
)
def test_what_is_wrong_with_a_table_is_named_by_row_and_column(tmp_path, text, message):
    with pytest.raises(gd.GandynError) as error:
        game(write(tmp_path / "it.csv", text))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_arrays_that_are_no_points_are_refused(tmp_path):
    for array, kind, message in (
        (np.zeros(3), ShapeError, r"\[:, None\]"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), ParameterError, r"first in row 0, at \[1\]"),
        (np.array([["a"]]), ParameterError, "real numbers"),
        (np.zeros((0, 2)), ShapeError, "N >= 1"),
        (np.array([[1j]]), ParameterError, "real numbers"),
    ):
        with pytest.raises(kind, match=message):
            game(array)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ParameterError, match="cannot be read"):
        game(str(tmp_path / "objects.npy"))
    with pytest.raises(ParameterError, match="cannot be read"):
        game("nowhere.csv")
    with pytest.raises(ParameterError, match="check its name"):
        datasets.table(write(tmp_path / "a.csv", "a\n1\n"), labels="b")


def test_parquet_is_read_where_pandas_can(tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    monkeypatch.setattr(pandas, "read_parquet", lambda file: frame)
    assert datasets.table(str(tmp_path / "it.parquet")).points.tolist() == [[1, 3], [2, 4]]

    def absent(file):
        raise ImportError

    monkeypatch.setattr(pandas, "read_parquet", absent)
    with pytest.raises(MissingDependencyError, match="pyarrow"):
        datasets.table(str(tmp_path / "it.parquet"))


class Shaken(torch.utils.data.Dataset):
    """Bytes with a random transform, and labels."""

    def __len__(self):
        return 6

    def __getitem__(self, k):
        return torch.full((2,), 10 * k, dtype=torch.uint8) + (torch.rand(2) < 0.5), k % 3


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: DataLoader(d, batch_size=2, shuffle=True)])
def test_data_sets_and_loaders_draw_by_the_runs_own_numbers(wrap):
    played = game(wrap(Shaken()))
    torch.manual_seed(0)
    first = played.draw(np.random.default_rng(7)).real
    torch.manual_seed(1)
    before = torch.get_rng_state()
    again = played.draw(np.random.default_rng(7)).real
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.shape == (5, 2)
    assert -1 <= float(first.min()) <= float(first.max()) < 0
    points, labels = played.data.sample_labelled(40, torch.Generator().manual_seed(0))
    assert torch.equal(((points[:, 0] + 1) * 127.5 / 10).round().long() % 3, labels)


def test_labels_of_data_sets_reach_conditional_networks():
    nets = (gd.gans.architectures.mlp_generator((2,), classes=3, hidden=(4,)),
            gd.gans.architectures.mlp_discriminator((2,), classes=3, hidden=(4,)))  # fmt: skip
    rule = gd.rules.GDA(0.1)
    end = gd.gans.train(gd.gans.GANGame(*nets, data=Shaken(), batch_size=4), rule, 3, metrics=None).w
    assert bool(end.isfinite().all())
    with pytest.raises(ParameterError, match="labels of TensorDataset, which has none"):
        gd.gans.GANGame(*nets, data=TensorDataset(torch.zeros(4, 2)), batch_size=4)


class Stream(IterableDataset):
    def __iter__(self):
        yield torch.zeros(2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Stream(), "an order of its own"),
        (DataLoader(Stream()), "an order of its own"),
        (DataLoader(Shaken(), sampler=WeightedRandomSampler([1.0] * 6, 6)), "WeightedRandomSampler"),
        (TensorDataset(torch.zeros(0, 2)), "without items"),
        (TensorDataset(torch.tensor([[1.0, float("nan")]] * 3)), "not finite"),
        (TensorDataset(torch.zeros(3)), "a tensor"),
        (TensorDataset(torch.zeros(3, 2), torch.zeros(3)), "whole numbers"),
    ],
)
def test_data_sets_that_cannot_be_drawn_from_are_refused_by_name(data, message):
    with pytest.raises(gd.GandynError, match=message) as error:
        game(data)
    assert "\n" not in str(error.value)


def picture(path, array, mode=None):
    from PIL import Image

    Image.fromarray(array, mode).save(path)


def test_pictures_need_not_be_square(tmp_path):
    for k in range(2):
        picture(tmp_path / f"{k}.png", np.full((4, 6, 3), 100 * k, np.uint8))
    assert datasets.folder(str(tmp_path)).shape == (3, 4, 6)
    wide = datasets.folder(str(tmp_path), shape=(2, 8), gray=True)
    assert wide.shape == (1, 2, 8)
    assert len(datasets.resolve(str(tmp_path))) == 2
    with pytest.raises(ParameterError, match="height, width"):
        datasets.folder(str(tmp_path), shape=(2, 3, 4))


def test_a_crop_keeps_the_middle_in_its_own_proportions(tmp_path):
    columns = np.tile(np.arange(12, dtype=np.uint8) * 20, (4, 1))
    picture(tmp_path / "ramp.png", columns)
    kept = datasets.folder(str(tmp_path), shape=(4, 6), gray=True).points[0, 0]
    assert np.allclose((kept[0].numpy() + 1) * 127.5, columns[0, 3:9], atol=1e-3)


def test_transparent_pixels_show_the_background_and_sixteen_bits_are_scaled(tmp_path):
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (255, 0, 0, 255)
    clear[1, 1] = (9, 9, 9, 0)  # whatever an editor left under full transparency
    picture(tmp_path / "a.png", clear)
    white = datasets.folder(str(tmp_path)).points[0]
    assert white[:, 0, 0].tolist() == [1.0, -1.0, -1.0]
    assert white[:, 1, 1].tolist() == [1.0, 1.0, 1.0]
    assert datasets.folder(str(tmp_path), background="black").points[0, :, 1, 1].tolist() == [-1.0] * 3
    with pytest.raises(ParameterError, match="background"):
        datasets.folder(str(tmp_path), background="no colour")
    (tmp_path / "a.png").unlink()
    picture(tmp_path / "b.png", np.array([[0, 65535], [32768, 257]], np.uint16))
    assert ((datasets.folder(str(tmp_path), gray=True).points[0, 0] + 1) * 127.5).round().tolist() == [
        [0, 255],
        [128, 1],
    ]


def test_a_torch_data_set_is_called_by_its_class_or_as_it_is_told():
    from gandyn.gans.datasets.torch_datasets import DatasetPoints

    items = TensorDataset(torch.randn(6, 2))
    assert [DatasetPoints(items).name, DatasetPoints(items, "six").name] == ["TensorDataset", "six"]
