#!/usr/bin/env python3
"""Times the steps of GPU/main.swift in PyTorch on a GPU, in several modes; prints lines of JSON.

    python3 pytorch_gpu.py [--data DIR] [--budget 90] [--device cpu --quick]

The images lie on the device as bytes, and batches are gathered there. DIR is the folder of processed
EMNIST, with the training part's IDX files as the library keeps them; without it, random bytes take
their place. What does not fit into the budget, in seconds, is left out and named; so is a mode that
fails. Medians of blocks of steps, each of which ends with a wait for the device; milliseconds. After
each mode all results so far are printed as one line, so that the last line is complete even if the
program is ended.
"""
import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
# In the bundle the networks are beside this file.
sys.path += [str(HERE), str(HERE.parent / "Tests" / "Parity")]
from networks import CNN, LineCNN, LineCNNLSTM, ResNet

CLASSES = 83
MODES = {
    "eager, fp32": set(),
    "eager, TF32": {"tf32"},
    "channels_last, TF32": {"tf32", "channels_last"},
    "channels_last, TF32, graph": {"tf32", "channels_last", "graph"},
    "bf16, graph": {"tf32", "bf16", "graph"},
    "channels_last, bf16, graph": {"tf32", "bf16", "channels_last", "graph"},
    "compiled, channels_last, TF32, graph": {"tf32", "compile", "channels_last", "graph"},
}
CNN_STEP, RESNET_STEP = "CNN training step", "ResNet training step"
LINE_CNN_STEP, LSTM_STEP = "LineCNN training step", "LineCNNLSTM training step"
INFERENCE, EPOCH = "CNN inference, 4096 images", "EMNIST epoch, validation included"
START = "start to first step"
# The most important and the cheapest first.
PLAN = (
    [(CNN_STEP, mode) for mode in MODES]
    + [(EPOCH, "best mode")]
    + [(INFERENCE, mode) for mode in list(MODES)[1:6]]
    + [(RESNET_STEP, mode) for mode in list(MODES)[2:]]
    + [(step, mode) for step in (LINE_CNN_STEP, LSTM_STEP) for mode in list(MODES)[2:4]]
    + [(step, "channels_last, bf16, graph") for step in (LINE_CNN_STEP, LSTM_STEP)]
    + [(START, "eager, TF32")]
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--budget", type=float, default=90)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see whether all runs")
    parser.add_argument("--only", default="", help="steps whose name begins with this text")
    parser.add_argument("--first-step", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


args = arguments()
ON_CUDA = args.device == "cuda"
BATCH, LINES, MANY = (8, 2, 16) if args.quick else (128, 128, 4096)
# The sizes of the balanced EMNIST.
TRAIN, VAL = (40, 16) if args.quick else (260_212, 65_054)
BLOCKS, STEPS = (1, 2) if args.quick else (5, 100)
LINE_BLOCKS, LINE_STEPS = (1, 1) if args.quick else (3, 50)


def wait():
    if ON_CUDA:
        torch.cuda.synchronize()


def idx(path):
    raw = torch.from_file(str(path), shared=False, size=path.stat().st_size, dtype=torch.uint8)
    dims = int(raw[3])
    shape = [int.from_bytes(bytes(raw[4 + 4 * k : 8 + 4 * k].tolist()), "big") for k in range(dims)]
    return raw[4 + 4 * dims :].reshape(shape)


def dataset():
    """Images and labels of the training part, on the device."""
    if args.data:
        images = idx(args.data / "train-images-idx3-ubyte").unsqueeze(1).to(args.device)
        return images, idx(args.data / "train-labels-idx1-ubyte").long().to(args.device)
    images = torch.randint(0, 256, (TRAIN, 1, 28, 28), dtype=torch.uint8, device=args.device)
    return images, torch.randint(4, 66, (TRAIN,), device=args.device)


def use(mode):
    tf32 = "tf32" in mode
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True


def prepared(model, mode):
    model = model.to(args.device)
    return model.to(memory_format=torch.channels_last) if "channels_last" in mode else model


def autocast(mode):
    # Weights are converted in each step: a graph must not keep those of the first one.
    return torch.autocast(
        args.device, dtype=torch.bfloat16, enabled="bf16" in mode, cache_enabled=False)


def captured(body, warmups=5):
    """A CUDA graph of the body, after a few calls of it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(warmups):
            body()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        body()
    return graph.replay


class Classifier:
    """Training steps and validation of a network for images, on batches of a data set."""

    def __init__(self, model, data, mode):
        use(mode)
        self.mode, self.graph = mode, "graph" in mode
        self.images, self.labels = data
        self.model = prepared(model, mode).train()
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=1e-3, fused=ON_CUDA, capturable=self.graph)
        self.call = torch.compile(self.model) if "compile" in mode else self.model
        self.shuffle()
        self.rows = self.order[:BATCH].clone()
        self.loss = torch.zeros((), device=args.device)
        self.right = torch.zeros((), dtype=torch.long, device=args.device)
        self.replay = captured(self.learn) if self.graph else self.learn
        self.replay_validation = None

    def shuffle(self):
        # As many as there are in EMNIST, also of a part of it.
        self.order = torch.randperm(TRAIN, device=args.device) % len(self.labels)
        self.next = 0

    def batch(self):
        x = self.images[self.rows].float() / 255
        if "channels_last" in self.mode:
            x = x.contiguous(memory_format=torch.channels_last)
        return x, self.labels[self.rows]

    def learn(self):
        x, y = self.batch()
        with autocast(self.mode):
            loss = F.cross_entropy(self.call(x), y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def score(self):
        x, y = self.batch()
        with torch.no_grad(), autocast(self.mode):
            logits = self.model(x)
            self.loss += F.cross_entropy(logits, y, reduction="sum")
            self.right += (logits.argmax(1) == y).sum()

    def choose(self):
        if self.next + BATCH > len(self.order):
            self.shuffle()
        self.rows.copy_(self.order[self.next : self.next + BATCH])
        self.next += BATCH

    def step(self):
        self.choose()
        self.replay()

    def epoch(self):
        """Seconds of an epoch and its validation."""
        use(self.mode)
        self.model.eval()
        validate = captured(self.score) if self.graph else self.score
        self.model.train()
        wait()
        start = time.perf_counter()
        self.shuffle()
        for _ in range(-(-TRAIN // BATCH)):
            self.step()
        self.model.eval()
        self.shuffle()
        for _ in range(-(-VAL // BATCH)):
            self.choose()
            validate()
        self.loss.item(), self.right.item()
        wait()
        return time.perf_counter() - start


class LineReader:
    """Training steps with the CTC loss on lines that lie on the device.

    The loss is computed outside of the graph: it copies lengths from the host. The network's forward
    and backward pass are two graphs.
    """

    def __init__(self, network, mode):
        use(mode)
        self.mode = mode
        lengths = torch.tensor([16 + line % 17 for line in range(LINES)])
        place, line = torch.arange(32), torch.arange(LINES).unsqueeze(1)
        labels = torch.where(place < lengths.unsqueeze(1), 4 + (line * 32 + place) * 7 % 79, 3)
        self.x, self.labels = torch.rand(LINES, 1, 28, 896, device=args.device), labels.to(args.device)
        self.lengths = tuple(lengths.tolist())
        model = prepared(network(CLASSES, width=28, stride=18, dropout=0.2), mode).train()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=ON_CUDA)
        self.call = model
        if "graph" in mode:
            with autocast(mode):
                self.call = torch.cuda.make_graphed_callables(model, (self.x,))

    def step(self):
        with autocast(self.mode):
            logits = self.call(self.x)
        steps = (logits.shape[2],) * LINES
        loss = F.ctc_loss(
            logits.float().permute(2, 0, 1).log_softmax(2), self.labels, steps, self.lengths,
            zero_infinity=True)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


def median(step, blocks, steps):
    for _ in range(min(steps, 20)):
        step()
    times = []
    for _ in range(blocks):
        wait()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        wait()
        times.append((time.perf_counter() - start) * 1e3 / steps)
    return statistics.median(times)


def inference(mode):
    """The logits of many images that lie on the device, read by the host."""
    use(mode)
    model = prepared(CNN(CLASSES, dropout=0.25), mode).eval()
    x = torch.rand(MANY, 1, 28, 28, device=args.device)
    if "channels_last" in mode:
        x = x.contiguous(memory_format=torch.channels_last)
    output = {}

    def body():
        with torch.no_grad(), autocast(mode):
            output["logits"] = model(x)

    run = captured(body) if "graph" in mode else body

    def step():
        run()
        output["logits"].float().cpu()

    return median(step, BLOCKS, min(STEPS, 50))


def first_step():
    """From the start of a process to the end of its first training step."""
    command = [sys.executable, __file__, "--first-step", f"--device={args.device}"]
    command += [f"--data={args.data}"] if args.data else []
    command += ["--quick"] if args.quick else []
    start = time.time()
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return (float(output.split()[-1]) - start) * 1e3


def measure(step, mode, data, best):
    """Milliseconds."""
    if step == CNN_STEP:
        classifier = Classifier(CNN(CLASSES, dropout=0.25), data, mode)
        milliseconds = median(classifier.step, BLOCKS, STEPS)
        if not best or milliseconds < best["milliseconds"]:
            best.update(milliseconds=milliseconds, classifier=classifier)
        return milliseconds
    if step == RESNET_STEP:
        return median(Classifier(ResNet(CLASSES), data, mode).step, BLOCKS, STEPS)
    if step == EPOCH:
        return best["classifier"].epoch() * 1e3
    if step == INFERENCE:
        return inference(mode)
    if step == START:
        return first_step()
    network = LineCNN if step == LINE_CNN_STEP else LineCNNLSTM
    return median(LineReader(network, mode).step, LINE_BLOCKS, LINE_STEPS)


def main():
    torch.manual_seed(42)
    if not ON_CUDA:
        torch.set_num_threads(1)
    start = time.perf_counter()
    data = dataset()
    if args.first_step:
        Classifier(CNN(CLASSES, dropout=0.25), data, MODES["eager, TF32"]).step()
        wait()
        print(time.time())
        return
    report = {
        "device": torch.cuda.get_device_name() if ON_CUDA else "processor",
        "torch": torch.__version__, "cuda": torch.version.cuda, "isQuick": args.quick,
        "results": {}, "failures": {}, "skipped": [],
    }
    best = {}
    for step, mode in PLAN:
        name, settings = f"{step}: {mode}", MODES.get(mode, set())
        if not step.startswith(args.only) or (step == EPOCH and not best):
            continue
        if not ON_CUDA and settings & {"graph", "compile"}:
            continue
        if time.perf_counter() - start > args.budget:
            report["skipped"].append(name)
            continue
        try:
            milliseconds = measure(step, settings, data, best)
            report["results"].setdefault(step, {})[mode] = milliseconds
            print(f"{name}: {milliseconds:.3f} ms", file=sys.stderr)
        except Exception as error:
            message = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            report["failures"][name] = message
            print(f"{name}: failed, {message}", file=sys.stderr)
        gc.collect()
        report["seconds"] = round(time.perf_counter() - start, 1)
        print(json.dumps(report), flush=True)
    # Also what was left out.
    print(json.dumps(report))


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()
