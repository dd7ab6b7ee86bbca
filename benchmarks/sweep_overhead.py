"""What a sweep costs beside training: a run that is on record, and a run that is started.

    .venv/bin/python benchmarks/sweep_overhead.py
    .venv/bin/python benchmarks/sweep_overhead.py --rounds 9

Whole commands are timed with few jobs and with many, and the difference is divided by the difference in jobs, so that
what a command costs once drops out. A started run is a tiny one; beside it, in turn, the same number of jobs of a Hydra
program that does nothing, and of one that does nothing but load the libraries that training needs: where each job is a
process of its own, that is most of its time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TINY = ["data.size=60", "data.test_questions=40", "debug=quick", "tracker=none", "training.restarts=1"]
PROGRAM = """
import hydra

@hydra.main(version_base="1.3", config_path=None)
def main(config):
    {body}
    return 0.0

main()
"""
PROGRAMS = {"does nothing": "pass", "loads the libraries": "import datasets, numba, scipy.linalg, torch"}


def seconds(command: list[str], folder: Path) -> float:
    """The wall time of a command."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def per_job(few: list[str], many: list[str], count: int, folder: Path) -> float:
    """Milliseconds for each of the ``count`` jobs that one command has more than the other."""
    return 1000 * (seconds(many, folder) - seconds(few, folder)) / count


def train(seeds: range, launcher: str = "basic") -> list[str]:
    words = [f"runtime.seed=range({seeds.start},{seeds.stop})", f"hydra/launcher={launcher}", *TINY]
    return [sys.executable, "-m", "babi_memnet.commands.train", "-m", *words]


def main() -> None:
    """Measure and print one line per quantity."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skipped", type=int, default=100, help="how many runs are on record")
    parser.add_argument("--started", type=int, default=8, help="how many runs are started in a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = {name: folder / f"{place}.py" for place, name in enumerate(PROGRAMS)}
        for name, body in PROGRAMS.items():
            plain[name].write_text(PROGRAM.format(body=body))
        subprocess.run(train(range(options.skipped)), cwd=folder, check=True, stdout=subprocess.DEVNULL)
        one, all_of_them = train(range(1)), train(range(options.skipped))
        skipped = [per_job(one, all_of_them, options.skipped - 1, folder) for _ in range(options.rounds)]
        print(f"on record: {statistics.median(skipped):.1f} ms ({min(skipped):.1f} to {max(skipped):.1f})")
        seed = options.skipped
        for launcher in ("basic", "joblib", "submitit_local"):
            ours: list[float] = []
            theirs: dict[str, list[float]] = {name: [] for name in PROGRAMS}
            for _ in range(options.rounds):
                few, many = range(seed, seed + 2), range(seed + 2, seed + 4 + options.started)
                ours.append(per_job(train(few, launcher), train(many, launcher), options.started, folder))
                seed = many.stop
                two, more = (f"+job=range({count})" for count in (2, 2 + options.started))
                for name, path in plain.items():
                    command = [sys.executable, str(path), "-m", f"hydra/launcher={launcher}"]
                    theirs[name].append(per_job([*command, two], [*command, more], options.started, folder))
            print(
                f"started by {launcher}: {statistics.median(ours):.0f} ms",
                *(f"a job that {name} {statistics.median(times):.0f} ms" for name, times in theirs.items()),
                sep=", ",
            )


if __name__ == "__main__":
    main()
