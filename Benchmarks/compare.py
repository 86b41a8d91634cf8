#!/usr/bin/env python3
"""Times our steps and PyTorch's in turn, and prints medians and ratios as a Markdown table.

    python3 compare.py --data DIR [--rounds 6] [--threads 2] [--lines | --epoch [--batches 200]]

With --lines the steps are those of networks that read lines, each in a process of its own, so that the
peak memory is that of one network; without, those of networks for characters. DIR is a data folder
(LAB_DATA_DIR) in which EMNIST has been prepared. Runs with the Python that has torch and numpy; ours
must have been built (`make bench` sees to both). Each round runs every program once, one after the
other, so that all of them meet the same disturbances.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Memory stays with the process from step to step, as it does in our library.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}
# The steps of `--lines`.
LINES = [
    "LineCNN training", "LineCNNLSTM training", "LineCNNSimple training", "log softmax and CTC",
    "LSTM, 512 units, both directions",
]


def run(command, environment):
    """The results of one process, and its peak memory in MB."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} ended with status {status}")
    return json.loads(output.splitlines()[-1]), usage.ru_maxrss / 1024


def row(title, by_program, digits):
    medians = {name: statistics.median(values) for name, values in by_program.items()}
    cells = [
        f"{value:.{digits}f}" + ("" if name == "Swift" else f" (×{value / medians['Swift']:.2f})")
        for name, value in medians.items()
    ]
    return f"| {title} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--kernels", default="", help="force our kernels, and limit oneDNN's")
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--epoch", action="store_true")
    parser.add_argument("--batches", type=int, default=0, help="of an epoch; 0 for all of it")
    args = parser.parse_args()

    base = dict(os.environ, LAB_DATA_DIR=str(args.data))
    if args.kernels:
        base |= {"LAB_KERNELS": args.kernels, "ONEDNN_MAX_CPU_ISA": args.kernels.upper()}
    common = [f"--threads={args.threads}", f"--seconds={args.seconds}"]
    common += ["--lines"] if args.lines else []
    common += ["--epoch", f"--batches={args.batches}"] if args.epoch else []
    prepared = [args.data / "processed" / name for name in ("emnist", "emnist-synthetic")]
    data = next((folder for folder in prepared if folder.is_dir()), None)
    if data is None:
        sys.exit(f"expected prepared EMNIST in {args.data}/processed, found none; run `make run` first")
    python = [sys.executable, str(HERE / "pytorch_steps.py"), f"--data={data}"]
    programs = {"Swift": ([str(HERE.parent / ".build/release/step-bench")] + common, base)}
    for mode in ["eager", "channels_last", "tuned"]:
        environment = base | MALLOC if mode == "tuned" else base
        for workers in [0, 1, 2] if args.epoch and mode == "tuned" else [0]:
            name = f"{mode}, {workers} workers" if args.epoch else mode
            command = python + [f"--mode={mode}"] + common + [f"--num_workers={workers}"]
            programs[f"PyTorch {name}"] = (command, environment)

    # What one process times. Its memory is given for all that it times together.
    kinds = [name for name in LINES if args.only in name] if args.lines else [args.only]
    times, memory = {}, {}
    for round in range(args.rounds):
        for kind in kinds:
            for program, (command, environment) in programs.items():
                results, megabytes = run(command + [f"--only={kind}"], environment)
                memory.setdefault(kind, {}).setdefault(program, []).append(megabytes)
                for step, milliseconds in results.items():
                    times.setdefault(step, {}).setdefault(program, []).append(milliseconds)
        print(f"round {round + 1} of {args.rounds}", file=sys.stderr)

    print(f"\nMedians of {args.rounds} rounds, {args.threads} threads; milliseconds (and ours is faster by)\n")
    print("| | " + " | ".join(programs) + " |")
    print("| --- |" + " ---: |" * len(programs))
    for step, by_program in times.items():
        print(row(step, by_program, 2))
    for kind, by_program in memory.items():
        print(row("peak memory, MB" + (f": {kind}" if args.lines else ""), by_program, 0))


if __name__ == "__main__":
    main()
