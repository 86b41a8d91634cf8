#!/usr/bin/env python3
"""Prints what gpu-bench and pytorch_gpu.py have measured as a Markdown table, beside the goals.

    python3 gpu_table.py FOLDER

FOLDER has gpu-bench's output in files named gpu-bench*.json, and pytorch_gpu.py's in pytorch.json, which
may be missing. Of each file the last line is read. What was measured with products of bfloat16 is a
column of its own; goals and factors are those of our better one.
"""
import json
import sys
from pathlib import Path

# For each step: the most that it may take, and how many times as fast as PyTorch's best mode it shall
# be. The steps in SECONDS are printed in seconds, the others in milliseconds.
GOALS = {
    "CNN training step": (0.30, 2),
    "CNN training step, plain loop": (None, None),
    "EMNIST epoch, validation included": (800, None),
    "CNN inference, 4096 images": (2, None),
    "ResNet training step": (0.45, 2),
    "LineCNN training step": (None, 1.5),
    "LineCNNLSTM training step": (None, 1.5),
    "start to first step": (1000, None),
    "start to first step, first run": (None, None),
}
SECONDS = {step for step in GOALS if step.startswith(("EMNIST", "start"))}
# PyTorch measures one kind of these steps.
SAME = {"CNN training step, plain loop": "CNN training step"}


def last_line(path):
    lines = path.read_text().splitlines() if path.exists() else []
    try:
        return json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}


def amount(step, milliseconds):
    if milliseconds is None:
        return ""
    return f"{milliseconds / 1e3:.2f} s" if step in SECONDS else f"{milliseconds:.3f}"


def verdict(step, ours, factor):
    """The goals, each with whether it was reached."""
    limit, least = GOALS[step]
    texts = []
    if limit is not None:
        reached = "" if ours is None else (": yes" if ours <= limit else ": NO")
        texts.append(f"≤ {amount(step, limit)}{reached}")
    if least is not None:
        reached = "" if factor is None else (": yes" if factor >= least else ": NO")
        texts.append(f"≥ ×{least}{reached}")
    return ", ".join(texts)


def main():
    if len(sys.argv) != 2:
        sys.exit("gpu_table: expected the folder of results")
    folder = Path(sys.argv[1])
    reports = [last_line(path) for path in sorted(folder.glob("gpu-bench*.json"))]
    reports = [report for report in reports if report]
    torch = last_line(folder / "pytorch.json")
    ours, bf16, failures, accuracy = {}, {}, {}, {}
    for report in reports:
        (bf16 if "bf16 products" in report["properties"] else ours).update(report["results"])
        failures |= report["failures"]
        for device, by_seed in report["accuracy"].items():
            accuracy.setdefault(device, {}).update(by_seed)

    for line in sorted({f"{r['device']}, {r['properties']}; {r['data']}" for r in reports}):
        print(f"Ours: {line}")
    if torch:
        print(f"PyTorch {torch['torch']}, CUDA {torch['cuda']}: {torch['device']}")
    if any(report.get("isQuick") for report in reports + [torch]):
        print("QUICK: small batches and few steps; these times mean nothing.")

    theirs = torch.get("results", {})
    modes = list(dict.fromkeys(mode for by_mode in theirs.values() for mode in by_mode))
    head = ["", "ours"] + (["ours, bf16"] if bf16 else []) + modes + (["PyTorch's best", "factor"] if modes else []) + ["goal"]
    print("\nMilliseconds, unless it says s\n")
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 2) + " --- |")
    for step in GOALS:
        by_mode = theirs.get(SAME.get(step, step), {})
        mine = min((times[step] for times in (ours, bf16) if step in times), default=None)
        if mine is None and not by_mode and step not in failures:
            continue
        best = min(by_mode.values(), default=None)
        factor = best / mine if best is not None and mine else None
        cells = ["FAILED" if step in failures else amount(step, ours.get(step))]
        cells += [amount(step, bf16.get(step))] if bf16 else []
        cells += [amount(step, by_mode.get(mode)) for mode in modes]
        if modes:
            cells += [amount(step, best), f"×{factor:.2f}" if factor else ""]
        cells.append(verdict(step, mine, factor))
        print(f"| {step} | " + " | ".join(cells) + " |")

    for device, by_seed in sorted(accuracy.items()):
        mean = sum(by_seed.values()) / len(by_seed)
        texts = ", ".join(f"{value:.4f} (seed {seed})" for seed, value in sorted(by_seed.items()))
        print(f"\nTest accuracy on the {device}: {texts}; mean {mean:.4f}")
    for name, message in {**failures, **torch.get("failures", {})}.items():
        print(f"\nFAILED {name}: {message}")
    if torch.get("skipped"):
        print(f"\nLeft out for want of time: {'; '.join(torch['skipped'])}")


if __name__ == "__main__":
    main()
