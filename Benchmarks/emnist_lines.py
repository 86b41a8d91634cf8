#!/usr/bin/env python3
"""Times the making of EMNIST Lines: the course's way in Python, and this package, side by side.

Both start from EMNIST as prepared and the downloaded corpus, and leave the same 14,000 lines on the
disk, in turn, several rounds. Each is timed as a whole program, from its start to its end. The Python
program goes the course's way: for each of the three parts it reads the text through NLTK, loads
EMNIST through h5py, lists the images of each character, and makes line after line from a sentence, an
overlap and tensors that are added in a loop; then it writes HDF5 files with lzf. This package's
program is Benchmarks/Lines. The pixels are compared.

    swift build -c release
    swift run -c release lab data show --data_class=EMNISTLines    # prepares EMNIST, gets the corpus
    pip install numpy torch nltk h5py
    python3 Benchmarks/emnist_lines.py

The data folder is `data` or LAB_DATA_DIR, as for `lab`.
"""
import argparse
import itertools
import json
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
MAX_LENGTH = 32
OVERLAP = (0, 0.33)
FIRST_LABEL = 4
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
        samples[CHARACTERS[label - FIRST_LABEL]].append(image)
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


def make_set(folder, output):
    """Makes all lines in a file, and returns how many seconds what took."""
    watch = Stopwatch()
    nltk.data.path.insert(0, str(folder))
    np.random.seed(42)
    width = SIDE * MAX_LENGTH
    for part, split, count in (
        ("train", "train", 10_000), ("val", "train", 2_000), ("test", "test", 2_000)
    ):
        sentences = Sentences(brown_text(), MAX_LENGTH - 2)
        watch.lap("text")
        with h5py.File(folder / "emnist.h5") as file:
            images, labels = file[f"x_{split}"][:], file[f"y_{split}"][:]
        watch.lap("EMNIST")
        samples = samples_by_character(torch.from_numpy(images), labels)
        images = torch.zeros((count, SIDE, width), dtype=torch.uint8)
        for index in range(count):
            images[index] = make_line(sentences.generate(), samples, *OVERLAP, width)
        watch.lap("lines")
        with h5py.File(output, "a") as file:
            file.create_dataset(f"x_{part}", data=images, dtype="u1", compression="lzf")
        watch.lap("files")
    return watch.seconds


def run_course(folder, output):
    """Runs the course's way as a program; returns its seconds, and those of its parts."""
    output.unlink(missing_ok=True)
    start = time.perf_counter()
    printed = subprocess.run(
        [sys.executable, __file__, "--make", folder, output], check=True, stdout=subprocess.PIPE
    ).stdout
    return time.perf_counter() - start, json.loads(printed)


def run_lab(program, folder):
    """Runs this package's program where lines and text are not there yet; returns its seconds and its files."""
    for name in ("emnist-lines", "brown"):
        shutil.rmtree(folder / "processed" / name, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(
        [program], env={**os.environ, "LAB_DATA_DIR": str(folder)}, check=True,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    lines = next((folder / "processed/emnist-lines").iterdir())
    return seconds, {part: lines / f"{part}-images-idx3-ubyte" for part in ("train", "val", "test")}


def prepare(source, folder):
    """Puts into a folder what both start from."""
    for name in ("raw", "downloaded", "processed/emnist"):
        (folder / name).parent.mkdir(exist_ok=True)
        if (source / name).exists():
            (folder / name).symlink_to(source / name)
    zipfile.ZipFile(source / "downloaded/brown/brown.zip").extractall(folder / "corpora")
    with h5py.File(folder / "emnist.h5", "w") as file:
        for split in ("train", "test"):
            for array, kind in (("x", "images-idx3"), ("y", "labels-idx1")):
                values = read_idx(source / f"processed/emnist/{split}-{kind}-ubyte")
                file.create_dataset(f"{array}_{split}", data=values, compression="lzf")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=".build/release/lines-bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--make", type=Path, nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.make:
        print(json.dumps(make_set(*args.make)))
        return
    source = Path(os.environ.get("LAB_DATA_DIR") or "data").resolve()
    python, ours = defaultdict(list), []
    # The lines that are there already are nobody else's business: work beside them.
    with tempfile.TemporaryDirectory(dir=source) as name:
        folder = Path(name)
        prepare(source, folder)
        for number in range(args.rounds):
            whole, parts = run_course(folder, folder / "lines.h5")
            for work, seconds in [*parts.items(), ("whole program", whole)]:
                python[work].append(seconds)
            seconds, files = run_lab(args.program.resolve(), folder)
            ours.append(seconds)
            with h5py.File(folder / "lines.h5") as lines:
                same = all(
                    np.array_equal(lines[f"x_{part}"][:], read_idx(path))
                    for part, path in files.items()
                )
            print(f"round {number + 1}: Python {whole:.2f} s, lab {seconds:.3f} s, "
                  f"{'the same pixels' if same else 'OTHER PIXELS'}", flush=True)
            if not same:
                sys.exit(1)
    lab = statistics.median(ours)
    print(f"medians of {args.rounds}: lab, whole program {lab:.3f} s")
    for work, values in python.items():
        median = statistics.median(values)
        print(f"  Python, {work}: {median:.2f} s, {median / lab:.0f} times as long")


if __name__ == "__main__":
    main()
