#!/usr/bin/env python3
"""Times the same steps as Steps/main.swift in PyTorch, and prints the same line of JSON.

    python3 pytorch_steps.py --mode eager|channels_last|tuned --data DIR [--lines] [--threads 2] [--seconds 4]

DIR is the folder of processed EMNIST, with the training part's IDX files as the library keeps them.
"tuned" is channels_last with a fused Adam; compare.py gives it malloc settings that keep memory from
step to step, too.
"""
import argparse
import itertools
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "Parity"))
from networks import CNN, MLP, LineCNN, LineCNNLSTM, LineCNNSimple, ResNet

CLASSES = 83


class Images(Dataset):
    """As in the course: a byte image becomes a float tensor when it is asked for."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return torch.from_numpy(self.images[index]).unsqueeze(0).float() / 255, int(self.labels[index])


def idx(path):
    raw = np.memmap(path, np.uint8, "r")
    shape = [int.from_bytes(raw[4 + 4 * k : 8 + 4 * k].tobytes(), "big") for k in range(raw[3])]
    return raw[4 + 4 * len(shape) :].reshape(shape)


def median(step, seconds, first=3, least=5):
    for _ in range(first):
        step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < least:
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def line_steps(training):
    """The same as `lineSteps` in Steps/main.swift."""
    lengths = torch.tensor([16 + line % 17 for line in range(128)])
    place = torch.arange(32)
    line = torch.arange(128).unsqueeze(1)
    labels = torch.where(place < lengths.unsqueeze(1), 4 + (line * 32 + place) * 7 % 79, 3)
    x = torch.rand(128, 1, 28, 896)

    def ctc(logits, labels):
        steps = torch.full((len(logits),), logits.shape[2])
        return F.ctc_loss(
            logits.permute(2, 0, 1).log_softmax(2), labels, steps, lengths, zero_infinity=True)

    def alone(inputs, compute):
        inputs.requires_grad_()

        def step():
            inputs.grad = None
            compute(inputs)

        return step

    def lstm_step(x):
        y, _ = lstm(x)
        lstm.zero_grad()
        y.backward(torch.ones_like(y))

    lstm = nn.LSTM(83, 512, bidirectional=True)
    windows = {"width": 28, "stride": 18, "dropout": 0.2}
    return {
        "LineCNN training": lambda: training(LineCNN(CLASSES, **windows), [(x, labels)], ctc),
        "LineCNNLSTM training": lambda: training(
            LineCNNLSTM(CLASSES, **windows), [(x, labels)], ctc),
        "LineCNNSimple training": lambda: training(
            LineCNNSimple(CLASSES, dropout=0.25), [(x, labels)]),
        "log softmax and CTC": lambda: alone(
            2 * torch.rand(128, CLASSES, 55) - 1, lambda y: ctc(y, labels).backward()),
        "LSTM, 512 units, both directions": lambda: alone(
            2 * torch.rand(55, 128, 83) - 1, lstm_step),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=["eager", "channels_last", "tuned"], default="eager")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", default="")
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--epoch", action="store_true")
    parser.add_argument("--batches", type=int, default=0)
    parser.add_argument("--num_workers", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(42)
    layout = torch.contiguous_format if args.mode == "eager" else torch.channels_last

    def prepare(model):
        model = model.to(memory_format=layout)
        return model, torch.optim.Adam(model.parameters(), lr=1e-3, fused=args.mode == "tuned")

    def learn(model, optimizer, x, y, criterion=F.cross_entropy):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    def training(model, batches, criterion=F.cross_entropy):
        model, optimizer = prepare(model)
        model.train()
        batches = [(x.to(memory_format=layout), y) for x, y in batches]
        state = {"next": 0}

        def step():
            x, y = batches[state["next"] % len(batches)]
            state["next"] += 1
            learn(model, optimizer, x, y, criterion)

        return step

    results = {}
    if args.lines:
        for name, step in line_steps(training).items():
            if args.only in name:
                results[name] = median(step(), args.seconds, first=1, least=3)
        print(json.dumps(results, sort_keys=True))
        return

    images, labels = idx(args.data / "train-images-idx3-ubyte"), idx(args.data / "train-labels-idx1-ubyte")
    order = np.random.RandomState(42).permutation(len(labels))
    part = lambda indices: Images(images[indices], labels[indices])

    if args.epoch:
        cut = int(0.8 * len(order))
        train, val = part(order[:cut]), part(order[cut:])
        loader = lambda data, shuffle: DataLoader(
            data, batch_size=128, shuffle=shuffle, num_workers=args.num_workers)
        model, optimizer = prepare(CNN(CLASSES, dropout=0.25))
        start, right = time.perf_counter(), 0
        model.train()
        some = lambda batches, count: itertools.islice(batches, count if args.batches else None)
        for x, y in some(loader(train, True), args.batches):
            x = x.to(memory_format=layout)
            learn(model, optimizer, x, y)
        model.eval()
        with torch.no_grad():
            for x, y in some(loader(val, False), (args.batches + 3) // 4):
                right += (model(x.to(memory_format=layout)).argmax(1) == y).sum().item()
        results["CNN, one epoch"] = (time.perf_counter() - start) * 1e3
    else:
        batches = []
        for k in range(20):
            rows = part(order[k * 128 : (k + 1) * 128])
            x, y = zip(*(rows[i] for i in range(128)))
            batches.append((torch.stack(x).to(memory_format=layout), torch.tensor(y)))

        def inference(model, x):
            model, _ = prepare(model)
            model.eval()

            def step():
                with torch.no_grad():
                    model(x)

            return step

        def layer(module):
            module = module.to(memory_format=layout)
            x = (2 * torch.rand(128, 64, 28, 28) - 1).contiguous(memory_format=layout).requires_grad_()
            gradient = torch.ones_like(module(x))

            def step():
                x.grad = None
                module.zero_grad()
                module(x).backward(gradient)

            return step

        single = batches[0][0][:1].clone(memory_format=layout)
        steps = {
            "CNN training": training(CNN(CLASSES, dropout=0.25), batches),
            "CNN inference, batch 128": inference(CNN(CLASSES, dropout=0.25), batches[0][0]),
            "CNN inference, batch 1": inference(CNN(CLASSES, dropout=0.25), single),
            "MLP training": training(MLP(CLASSES, dropout=0.5), batches),
            "MLP inference, batch 128": inference(MLP(CLASSES, dropout=0.5), batches[0][0]),
            "ResNet training": training(ResNet(CLASSES), batches),
            "conv 3×3, stride 2": layer(nn.Conv2d(64, 64, 3, stride=2, padding=1)),
            "conv 1×1": layer(nn.Conv2d(64, 64, 1)),
            "BatchNorm": layer(nn.BatchNorm2d(64)),
        }
        for name, step in steps.items():
            if args.only in name:
                results[name] = median(step, args.seconds)
    print(json.dumps(results, sort_keys=True))


if __name__ == "__main__":
    main()
