#!/usr/bin/env python3
"""Times training steps of several processes, ours and PyTorch's (DDP with gloo) in turn, as a Markdown table.

    python3 processes.py --program LAB [--hosts FOLDER] [--rounds 3] [--only MLP,CNN,ResNet]

Both train the same networks with Adam on 128 images a step, of all processes together; of PyTorch each
process has its part of them, and its tuned form is taken (channels last, a fused Adam, memory kept). The
processors of the machine are shared out: each process has as many threads as there are processors for it,
one at least. FOLDER is that of scripts/hosts: then the processes are on hosts of their own, with a slow
network. Ours also gathers the images of each step, adds up metrics and writes them.
"""
import argparse
import json
import os
import platform
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BATCH, CLASSES, NETWORK = 128, 10, "10.213.77"
# The steps that are timed on one machine, and over a slow network.
STEPS = {"MLP": (60, 6), "CNN": (12, 4), "ResNet": (12, 8)}
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}


def worker(names, steps):
    """One process of PyTorch's: prints milliseconds a step, by network."""
    sys.path.insert(0, str(HERE.parent / "Tests" / "Parity"))
    import networks
    import torch
    import torch.distributed as distributed
    import torch.nn.functional as F
    from torch.nn.parallel import DistributedDataParallel

    size, rank = int(os.environ["WORLD_SIZE"]), int(os.environ["RANK"])
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(42)
    if size > 1:
        distributed.init_process_group("gloo")
    dropout = {"MLP": {"dropout": 0.5}, "CNN": {"dropout": 0.25}, "ResNet": {}}
    results = {}
    for name, count in zip(names, steps):
        layout = {"memory_format": torch.channels_last}
        model = getattr(networks, name)(CLASSES, **dropout[name]).to(**layout).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        if size > 1:
            model = DistributedDataParallel(model)
        generator = torch.Generator().manual_seed(rank)
        x = torch.rand(BATCH // size, 1, 28, 28, generator=generator).to(**layout)
        y = torch.randint(CLASSES, (BATCH // size,), generator=generator)

        def step():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

        for _ in range(3):
            step()
        if size > 1:
            distributed.barrier()
        start = time.perf_counter()
        for _ in range(count):
            step()
        if size > 1:
            distributed.barrier()
        results[name] = (time.perf_counter() - start) * 1e3 / count
    if rank == 0:
        print(json.dumps(results))
    if size > 1:
        distributed.destroy_process_group()


def finish(processes, seconds=120):
    """What some processes print; ends all of them if one takes too long or fails."""
    end, texts = time.monotonic() + seconds, []
    try:
        for process in processes:
            out, errors = process.communicate(timeout=max(1, end - time.monotonic()))
            if process.returncode:
                sys.exit(f"{process.args[0]} ended with status {process.returncode}:\n{errors[-2000:]}")
            texts.append((out, errors))
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return texts


def start(command, environment):
    return subprocess.Popen(
        [str(word) for word in command], env=environment, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def threads(size):
    return max(1, (os.cpu_count() or 1) // size)


def pytorch(size, hosts, names, steps):
    """Milliseconds a step, by network."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    processes = []
    for rank in range(size):
        environment = os.environ | MALLOC | {
            "RANK": str(rank), "WORLD_SIZE": str(size), "OMP_NUM_THREADS": str(threads(size)),
            "MASTER_ADDR": f"{NETWORK}.1" if hosts else "127.0.0.1", "MASTER_PORT": str(port),
            "GLOO_SOCKET_IFNAME": "nic" if hosts else "lo"}
        command = [hosts / "on", rank + 1] if hosts else []
        command += [sys.executable, __file__, "--worker", "--only", ",".join(names), "--steps"]
        processes.append(start(command + [",".join(map(str, steps))], environment))
    return json.loads(finish(processes)[0][0].splitlines()[-1])


def ours(program, size, hosts, name, steps, whole=False):
    """Milliseconds a step of the second epoch, and bytes that rank 0 sends a step."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "LAB_OUTPUT_DIR": folder, "LAB_THREADS": str(threads(size)),
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        command = []
        if size > 1:
            command = ["mpirun", "--bind-to", "none", "--oversubscribe", "-np", size]
            # Over one connection Open MPI hardly sends and receives at the same time: 690 ms a step of the
            # MLP on two hosts, 390 ms over two.
            links = ["--mca", "btl_tcp_links", "2"]
            command = [hosts / "launch", size] + links if hosts else command
        command += [program, "train", f"--model_class={name}", "--data_class=MNIST", "--max_epochs=2"]
        command += [f"--limit_train_batches={steps}", "--limit_val_batches=0", "--limit_test_batches=1"]
        command += [] if whole else ["--micro_shards=8"]
        [(_, errors)] = finish([start(command, environment)])
        data = next(Path(folder).rglob("training_state.safetensors")).read_bytes()
    header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])["__metadata__"]
    seconds = json.loads(header["training_state"])["history"][1]["seconds"]
    sent = re.findall(r"(\d+) bytes sent a step", errors)
    return seconds * 1e3 / steps, int(sent[-1]) if sent else 0


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path)
    parser.add_argument("--hosts", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(STEPS))
    parser.add_argument("--sizes", default="")
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--steps", default="")
    args = parser.parse_args()
    names = args.only.split(",")
    if args.worker:
        return worker(names, list(map(int, args.steps.split(","))))

    sizes = [int(size) for size in (args.sizes or "1,2,4").split(",")]
    steps = [STEPS[name][1 if args.hosts else 0] for name in names]
    times, sent = {}, {}
    for round in range(args.rounds):
        for size in sizes:
            for name, count in zip(names, steps):
                if size == 1:
                    milliseconds, _ = ours(args.program, size, None, name, count, whole=True)
                    times.setdefault((name, 0, "ours"), []).append(milliseconds)
                milliseconds, sent[name, size] = ours(args.program, size, args.hosts, name, count)
                times.setdefault((name, size, "ours"), []).append(milliseconds)
            for name, milliseconds in pytorch(size, args.hosts, names, steps).items():
                times.setdefault((name, size, "PyTorch"), []).append(milliseconds)
        print(f"round {round + 1} of {args.rounds}", file=sys.stderr)

    medians = {key: statistics.median(values) for key, values in times.items()}
    spread = max(max(values) / min(values) for values in times.values())
    print(f"\n{processor()}, {os.cpu_count()} processors for all processes; "
          + ("hosts with a slow network" if args.hosts else "one machine")
          + f"; medians of {args.rounds} rounds, which differ by a factor of {spread:.2f} at most\n")
    # All processes share the same processors: a step can take no less time than in one process.
    print("| network | processes | ours, ms | PyTorch, ms | PyTorch / ours | 1 process / this, ours "
          "| PyTorch | bytes sent a step |")
    print("| --- |" + " ---: |" * 7)
    for name in names:
        for size in sizes:
            if size == 1:
                print(f"| {name} | 1, whole batches | {medians[name, 0, 'ours']:.1f} | | | | | |")
            our, their = medians[name, size, "ours"], medians[name, size, "PyTorch"]
            efficiency = [
                f"{medians[name, 1, program] / value:.2f}" if 1 in sizes else ""
                for program, value in [("ours", our), ("PyTorch", their)]]
            print(f"| {name} | {size} | {our:.1f} | {their:.1f} | {their / our:.2f} "
                  f"| {efficiency[0]} | {efficiency[1]} | {sent[name, size]:,} |")


if __name__ == "__main__":
    main()
