"""Images from files: packages, IDX and CIFAR binaries, folders of pictures, and what is wrong with them."""

import gzip
import struct

import numpy as np
import pytest
import torch
from data_cases import datasets

import gandyn as gd
from gandyn.errors import ParameterError, ShapeError
from gandyn.gans.datasets.idx import read_idx


def write_idx(path, array, kind=0x08, zipped=False):
    content = struct.pack(">HBB", 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if zipped else content)
    return str(path)


def test_idx_files_come_back(tmp_path):
    source = np.random.default_rng(0)
    images = source.integers(0, 256, (6, 5, 5), dtype=np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2], np.uint8)
    paths = [
        write_idx(tmp_path / "images.idx", images, zipped=True), write_idx(tmp_path / "labels.idx", labels),
        write_idx(tmp_path / "test.idx", images[:2]), write_idx(tmp_path / "test-labels.idx", labels[:2]),
    ]  # fmt: skip
    data = datasets.idx(*paths)
    assert np.allclose(data.points[:, 0].numpy(), images / 127.5 - 1, atol=1e-6)
    assert data.labels.tolist() == labels.tolist()
    assert len(data.held_out) == 2
    assert datasets.idx(paths[0], size=8).shape == (1, 8, 8)
    floats = source.normal(size=(2, 3)).astype(">f4")
    assert (read_idx(write_idx(tmp_path / "floats", floats, 0x0D)) == floats).all()


def test_damaged_idx_files_are_refused(tmp_path):
    images = np.zeros((3, 4, 4), np.uint8)
    path = tmp_path / "images.idx"
    write_idx(path, images)
    whole = path.read_bytes()
    for content, complaint in (
        (whole[:-1], "only 47"),
        (whole + b"x", "more"),
        (b"\x80\x04" + whole, "does not begin"),
        (whole[:3], "cannot be read"),
        (struct.pack(">HBBII", 0, 8, 2, 2**31, 2**31), "claims"),
        (gzip.compress(whole)[:-9], "cannot be read"),
    ):
        path.write_bytes(content)
        with pytest.raises(ParameterError, match=complaint):
            datasets.idx(str(path))
    with pytest.raises(ParameterError, match="cannot be read"):
        datasets.idx(str(tmp_path / "nothing"))
    with pytest.raises(ShapeError, match="N, side, side"):
        datasets.idx(write_idx(tmp_path / "labels", np.zeros(3, np.uint8)))
    write_idx(path, images)
    with pytest.raises(ShapeError, match="labels"):
        datasets.idx(str(path), write_idx(tmp_path / "labels", np.zeros(2, np.uint8)))


@pytest.mark.parametrize(("classes", "before"), [(10, 1), (100, 2)])
def test_cifar_in_its_binary_version(tmp_path, classes, before):
    source = np.random.default_rng(0)
    records = source.integers(0, 10, (5, before + 3072), dtype=np.uint8)
    records[:, before:] = source.integers(0, 256, (5, 3072), dtype=np.uint8)
    names = ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin") if classes == 10 else ("train.bin", "test.bin")
    pieces = np.split(records, [2, 4]) if classes == 10 else np.split(records, [4])
    for name, piece in zip(names, pieces, strict=True):
        piece.tofile(tmp_path / name)
    data = datasets.cifar(str(tmp_path), classes)
    assert data.shape == (3, 32, 32)
    assert data.classes == classes
    assert data.labels.tolist() == records[:4, before - 1].tolist()
    # Plane by plane, red first, row by row.
    assert float(data.points[1, 2, 3, 4]) == pytest.approx(records[1, before + 2 * 1024 + 3 * 32 + 4] / 127.5 - 1)
    assert len(data.held_out) == 1
    (tmp_path / names[0]).write_bytes(b"x" * 100)
    with pytest.raises(ParameterError, match="records of"):
        datasets.cifar(str(tmp_path), classes)


def test_pickled_cifar_is_never_read(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ParameterError, match="pickle"):
        datasets.cifar(str(tmp_path))
    with pytest.raises(ParameterError, match="folder of the binary version"):
        datasets.cifar(str(tmp_path / "empty"))
    with pytest.raises(ParameterError, match="10 or 100"):
        datasets.cifar(str(tmp_path), classes=7)


def picture(path, shape=(6, 8), value=128):
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    pixels = np.full((*shape, 3), value, np.uint8)
    pixels[:, 0] = 0
    Image.fromarray(pixels).save(path)


def test_a_folder_of_pictures(tmp_path):
    for k, name in enumerate(("cats/a.png", "cats/b.png", "dogs/c.png", "dogs/d.png")):
        picture(tmp_path / name, value=50 * k + 50)
    (tmp_path / "notes.txt").write_text("not a picture")
    data = datasets.folder(str(tmp_path))
    assert data.shape == (3, 6, 8)
    assert data.labels.tolist() == [0, 0, 1, 1]
    assert [float(p[0, 0, 1]) for p in data.points] == pytest.approx([v / 127.5 - 1 for v in (50, 100, 150, 200)])
    assert (data.points[..., 0] == -1).all()
    gray = datasets.folder(str(tmp_path), size=4, gray=True, held_out=0.5)
    assert (gray.shape, len(gray), len(gray.held_out)) == ((1, 4, 4), 2, 2)
    # The central square leaves the black first column out.
    assert float(gray.points.min()) == pytest.approx(float(gray.points[0].max()), abs=1.0)
    assert datasets.folder(str(tmp_path / "cats")).labels is None


def test_bad_folders_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="no picture"):
        datasets.folder(str(tmp_path))
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png", shape=(5, 5))
    with pytest.raises(ShapeError, match=r"b.png of shape"):
        datasets.folder(str(tmp_path))
    (tmp_path / "b.png").write_bytes(b"no picture at all")
    with pytest.raises(ParameterError, match=r"b.png cannot be read"):
        datasets.folder(str(tmp_path))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path, suffix):
    """A ramp over all 16 bits has the mean 0 in [-1, 1]; Pillow's conversion cuts at 255 and answers with 1."""
    from PIL import Image

    ramp = np.linspace(0, 2**16 - 1, 64 * 64).round().astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / f"ramp.{suffix}")
    for gray in (False, True):
        points = gd.gans.datasets.registry["folder"].build(str(tmp_path), gray=gray).points
        assert abs(float(points.mean())) < 0.01
        expected = torch.from_numpy(ramp.astype(np.float64) / (2**16 - 1) * 2 - 1)
        assert float((points[0, 0].double() - expected).abs().max()) <= 1 / 255


def test_a_path_is_a_path_or_a_text(tmp_path):
    """Folders and tables are named either way."""
    np.save(tmp_path / "rows.npy", np.arange(6.0).reshape(3, 2))
    build = gd.gans.datasets.registry
    assert build["table"].build(tmp_path / "rows.npy").points.equal(build["table"].build(f"{tmp_path}/rows.npy").points)
    with pytest.raises(gd.GandynError, match="picture"):
        build["folder"].build(tmp_path)
    with pytest.raises(gd.GandynError, match="path=3"):
        build["folder"].build(3)
