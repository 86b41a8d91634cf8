#!/usr/bin/env python3
"""Times the making of EMNIST Lines: the course's way in Python, and this package, side by side.

Both start from EMNIST as prepared and the downloaded corpus, and leave the same 14,000 lines on the
disk, in turn, several rounds. The Python side goes the course's way: for each of the three parts it
reads the text through NLTK, loads EMNIST through h5py, lists the images of each character, and makes
line after line from a sentence, an overlap and tensors that are added in a loop; then it writes HDF5
files with lzf. This package's time is that of the whole program `lab data show` without its lines and
text, from start to end: it prints and draws too. The pixels are compared.

    swift build -c release
    swift run -c release lab data show --data_class=EMNISTLines    # prepares EMNIST, gets the corpus
    pip install numpy torch nltk h5py
    python3 Benchmarks/emnist_lines.py

The data folder is `data` or LAB_DATA_DIR, as for `lab`.
"""
import argparse
import itertools
import os
import re
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from pathlib import Path

import h5py
import nltk
import numpy as np
import torch

SIDE = 28
MAPPING_START = 4
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def read_idx(path):
    """The array in an IDX file of bytes."""
    raw = path.read_bytes()
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()


class Sentences:
    """The course's sentence generator."""

    def __init__(self, text, max_length):
        self.text = text
        self.starts = [0] + [match.start(0) + 1 for match in re.finditer(" ", text)]
        self.max_length = max_length

    def generate(self):
        for _ in range(10):
            first = np.random.randint(0, len(self.starts) - 1)
            start = self.starts[first]
            ends = []
            for index in range(first + 1, len(self.starts)):
                if self.starts[index] - start > self.max_length:
                    break
                ends.append(self.starts[index])
            if ends:
                return self.text[start : np.random.choice(ends)].strip()
        raise RuntimeError("no sentence is short enough")


def samples_by_character(images, labels):
    samples = defaultdict(list)
    for image, label in zip(images, labels):
        samples[CHARACTERS[label - MAPPING_START]].append(image)
    return samples


def make_line(text, samples, min_overlap, max_overlap, width):
    overlap = np.random.uniform(min_overlap, max_overlap)
    chosen = {}
    for character in text:
        if character not in chosen:
            images = samples[character]
            chosen[character] = (
                images[np.random.choice(len(images))]
                if images
                else torch.zeros((SIDE, SIDE), dtype=torch.uint8)
            )
    step = SIDE - int(overlap * SIDE)
    # Wider numbers than bytes, so that the sum can be capped.
    line = torch.zeros((SIDE, width), dtype=torch.int16)
    x = 0
    for character in text:
        line[:, x : x + SIDE] += chosen[character].reshape(SIDE, SIDE)
        x += step
    return torch.minimum(torch.tensor(255, dtype=torch.int16), line)


class Stopwatch:
    """Adds up the seconds of each kind of work."""

    def __init__(self):
        self.seconds = defaultdict(float)
        self.last = time.perf_counter()

    def lap(self, work):
        now = time.perf_counter()
        self.seconds[work] += now - self.last
        self.last = now


def brown_text():
    text = " ".join(itertools.chain.from_iterable(nltk.corpus.brown.sents()))
    text = text.translate({ord(character): None for character in string.punctuation})
    return re.sub("  +", " ", text)


def make_set(emnist, output, args):
    """Makes all lines; returns them and how long what took."""
    watch = Stopwatch()
    np.random.seed(42)
    width = SIDE * args.max_length
    result = []
    for part, split, count in (
        ("train", "train", 10_000), ("val", "train", 2_000), ("test", "test", 2_000)
    ):
        sentences = Sentences(brown_text(), args.max_length - 2)
        watch.lap("text")
        with h5py.File(emnist) as file:
            images, labels = file[f"x_{split}"][:], file[f"y_{split}"][:]
        watch.lap("EMNIST")
        samples = samples_by_character(torch.from_numpy(images), labels)
        images = torch.zeros((count, SIDE, width), dtype=torch.uint8)
        for index in range(count):
            images[index] = make_line(
                sentences.generate(), samples, args.min_overlap, args.max_overlap, width
            )
        watch.lap("lines")
        with h5py.File(output, "a") as file:
            file.create_dataset(f"x_{part}", data=images, dtype="u1", compression="lzf")
        watch.lap("files")
        result.append(images)
    return result, watch.seconds


def lab(program, data, args):
    """Runs the program on files that lack the lines, and returns its seconds and its lines."""
    for name in ("emnist-lines", "brown"):
        shutil.rmtree(data / "processed" / name, ignore_errors=True)
    with tempfile.TemporaryDirectory() as output:
        start = time.perf_counter()
        subprocess.run(
            [program, "data", "show", "--data_class=EMNISTLines", "--data_source=download"]
            + [f"--{name}={getattr(args, name)}" for name in ("max_length", "min_overlap", "max_overlap")],
            env={**os.environ, "LAB_DATA_DIR": str(data), "LAB_OUTPUT_DIR": output},
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - start
    folder = next((data / "processed/emnist-lines").iterdir())
    return seconds, [folder / f"{part}-images-idx3-ubyte" for part in ("train", "val", "test")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=".build/release/lab")
    parser.add_argument("--max_length", type=int, default=32)
    parser.add_argument("--min_overlap", type=float, default=0)
    parser.add_argument("--max_overlap", type=float, default=0.33)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    source = Path(os.environ.get("LAB_DATA_DIR") or "data").resolve()
    python, ours = defaultdict(list), []
    # The lines that are there already are nobody else's business: work beside them.
    with tempfile.TemporaryDirectory(dir=source) as folder:
        data = Path(folder)
        for name in ("raw", "downloaded", "processed/emnist"):
            (data / name).parent.mkdir(exist_ok=True)
            if (source / name).exists():
                (data / name).symlink_to(source / name)
        zipfile.ZipFile(source / "downloaded/brown/brown.zip").extractall(
            data / "corpora"
        )
        nltk.data.path.insert(0, str(data))
        emnist = data / "emnist.h5"
        with h5py.File(emnist, "w") as file:
            for split in ("train", "test"):
                for array, kind in (("x", "images-idx3"), ("y", "labels-idx1")):
                    values = read_idx(source / f"processed/emnist/{split}-{kind}-ubyte")
                    file.create_dataset(f"{array}_{split}", data=values, compression="lzf")
        for round in range(args.rounds):
            images, seconds = make_set(emnist, data / f"lines{round}.h5", args)
            for work, value in [*seconds.items(), ("all", sum(seconds.values()))]:
                python[work].append(value)
            total, files = lab(Path(args.program).resolve(), data, args)
            ours.append(total)
            same = all(np.array_equal(a.numpy(), read_idx(b)) for a, b in zip(images, files))
            parts = ", ".join(f"{work} {value:.2f}" for work, value in seconds.items())
            print(f"round {round + 1}: Python {python['all'][-1]:.2f} s ({parts}), "
                  f"lab {ours[-1]:.3f} s, {'the same pixels' if same else 'OTHER PIXELS'}", flush=True)
            if not same:
                sys.exit(1)
            (data / f"lines{round}.h5").unlink()
    lab_median = statistics.median(ours)
    print(f"medians of {args.rounds}: lab {lab_median:.3f} s")
    for work, values in python.items():
        median = statistics.median(values)
        print(f"  Python, {work}: {median:.2f} s, {median / lab_median:.0f} times as long")


if __name__ == "__main__":
    main()
