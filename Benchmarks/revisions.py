#!/usr/bin/env python3
"""Times a revision and the working tree in turn, and says what has become slower or faster.

    make bench-compare COMPARE='[REVISION] [--kernels[=NAME]] [--steps[=NAME]] [--rounds=7]'

REVISION is what is compared with: by default the last commit, or the one before if nothing has been
changed since. It is built once, in .build-compare, and kept there. NAME is a part of a row's name. In each
round both programs run, one right after the other: what disturbs one disturbs the other, and the ratio of
their times is what counts. A row is slower if its median ratio is above --limit (1.05) and its time was the
longer one in every round. If a row is slower the exit status is 1.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".build-compare"
# A row of kernel-bench: the name, the number of threads, milliseconds and more.
ROW = re.compile(r"^(.+?)\s{2,}(\d+)\s+(\d+(?:\.\d+)?)(?:\s|$)")


def fail(text):
    sys.exit(f"bench-compare: {text}")


def git(*arguments):
    """What Git prints, and whether it succeeded."""
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return result.stdout.strip(), result.returncode == 0


def built(folder, products):
    """The folder with programs, after they have been built."""
    for product in products:
        command = ["swift", "build", "-c", "release", "--product", product]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if result.returncode:
            print(result.stdout + result.stderr, file=sys.stderr)
            fail(f"{product} does not build in {folder}")
    return folder / ".build/release"


def revision(name, products):
    """The programs of a revision, from a copy of its files that is kept."""
    commit, is_known = git("rev-parse", "--verify", f"{name}^{{commit}}")
    if not is_known:
        fail(f"expected a commit, a tag or a branch, got {name}")
    folder = KEPT / commit
    if not folder.is_dir():
        new = KEPT / "new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x"], cwd=new, input=archive.stdout, check=True)
        new.rename(folder)
    print(f"{git('log', '-1', '--format=%h %s', commit)[0]}, in {folder}", file=sys.stderr)
    return built(folder, products)


def kernel_times(programs, name):
    """Milliseconds by the row's name and number of threads."""
    command = [str(programs / "kernel-bench")] + ([name] if name else [])
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = (ROW.match(line) for line in result.stdout.splitlines())
    return {f"{row[1]}, {row[2]} threads": float(row[3]) for row in rows if row}


def step_times(programs, name, seconds):
    """Milliseconds by the step's name."""
    command = [str(programs / "step-bench"), f"--seconds={seconds}"] + ([f"--only={name}"] if name else [])
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def quotients(before, now):
    """The ratio of the times in each round; a time that is printed as 0 is less than a microsecond."""
    return [max(b, 0.001) / max(a, 0.001) for a, b in zip(before, now)]


def verdict(before, now, limit):
    """The median ratio of the times, and what to say of it."""
    ratios = quotients(before, now)
    ratio = statistics.median(ratios)
    if len(ratios) < 2:
        # Nothing is known of the noise.
        return ratio, ""
    if ratio > limit and min(ratios) > 1:
        return ratio, "slower"
    if ratio < 1 / limit and max(ratios) < 1:
        return ratio, "faster"
    return ratio, ""


def main():
    parser = argparse.ArgumentParser(
        prog="bench-compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", help="a commit, a tag or a branch")
    parser.add_argument("--kernels", nargs="?", const="", metavar="NAME", help="only rows of kernel-bench")
    parser.add_argument("--steps", nargs="?", const="", metavar="NAME", help="only training and inference steps")
    parser.add_argument("--rounds", type=int, default=7, help="fewer show noise as changes")
    parser.add_argument("--seconds", type=float, default=2, help="for each kind of step")
    parser.add_argument("--limit", type=float, default=1.05, help="ratios up to this are noise")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"--rounds: expected at least 1, got {args.rounds}")
    if args.limit < 1:
        parser.error(f"--limit: expected at least 1, got {args.limit}")
    kinds = {"kernels": args.kernels, "steps": args.steps}
    if args.kernels is None and args.steps is None:
        kinds = {"kernels": "", "steps": ""}

    base = args.revision or ("HEAD" if git("status", "--porcelain")[0] else "HEAD^")
    products = [
        {"kernels": "kernel-bench", "steps": "step-bench"}[kind]
        for kind, name in kinds.items() if name is not None
    ]
    programs = [revision(base, products), built(ROOT, products)]
    if kinds["steps"] is not None:
        # Prepares the data, so that no timed run has to.
        subprocess.run(
            [str(programs[1] / "step-bench"), "--seconds=0", "--only=MLP"], cwd=ROOT, check=True,
            stdout=subprocess.DEVNULL)

    times = [{}, {}]
    for round in range(args.rounds):
        for program, rows in zip(programs, times):
            results = {}
            if kinds["kernels"] is not None:
                results |= kernel_times(program, kinds["kernels"])
            if kinds["steps"] is not None:
                results |= step_times(program, kinds["steps"], args.seconds)
            for name, time in results.items():
                rows.setdefault(name, []).append(time)
        print(f"round {round + 1} of {args.rounds}", file=sys.stderr)

    # A row that only one of the two has cannot be compared.
    names = [name for name in times[1] if name in times[0]]
    if not names:
        fail("expected rows that both revisions have, found none; is NAME a part of a row's name?")
    counts = {"slower": 0, "faster": 0, "": 0}
    print(f"Medians of {args.rounds} rounds in turn, milliseconds; ratios of the times in a round\n")
    print(f"| | {base} | now | now / {base} | in the rounds | |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for name in names:
        before, now = times[0][name], times[1][name]
        ratio, word = verdict(before, now, args.limit)
        ratios = sorted(quotients(before, now))
        counts[word] += 1
        print(
            f"| {name} | {statistics.median(before):.3f} | {statistics.median(now):.3f} | {ratio:.2f} | "
            f"{ratios[0]:.2f}–{ratios[-1]:.2f} | {word} |")
    print(f"\n{counts['slower']} slower, {counts['faster']} faster, {counts['']} equal within the noise")
    for name in sorted(set(times[0]) ^ set(times[1])):
        print(f"not compared, since one of the two lacks it: {name}")
    sys.exit(1 if counts["slower"] else 0)


if __name__ == "__main__":
    main()
