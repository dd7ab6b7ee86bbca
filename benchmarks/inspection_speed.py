"""How long it takes to trace questions, and to get an answer on the page of babi-demo.

    .venv/bin/python benchmarks/inspection_speed.py
    .venv/bin/python benchmarks/inspection_speed.py --run outputs/memn2n_1k/pe_ls_rn/task_03-0123456789

Without a run, one is trained on each of tasks 1 and 3. Traced are the 1,000 test questions of each task of
the run, from text to typed traces. The page is asked 50 questions in a headless Chromium on the same machine, timed in
the browser from the press of the button until the answer stands there.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import which

from babi_memnet.data.settings import settings_on_record
from babi_memnet.data.sources import load
from babi_memnet.demo.networks import Networks
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.runs.collection import collect

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PRESS = """() => new Promise(done => {
    document.querySelector('#answer .trace').setAttribute('old', '');
    const start = performance.now();
    new MutationObserver((_, watch) => {
        if (!document.querySelector('#answer .trace[old]')) { watch.disconnect(); done(performance.now() - start); }
    }).observe(document.querySelector('#answer'), {childList: true, subtree: true, attributes: true});
    document.querySelector('#ask').click();
})"""


def traced(run: str, rounds: int) -> None:
    """Print how long the test questions of every task of a run take."""
    network = TracedNetwork.load(run)
    settings = network.settings
    tasks = range(1, 21) if settings["task"] == "joint" else [settings["task"]]
    for task in tasks:
        columns = load(settings_on_record(settings["data"]), [task])["test"].to_dict()
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            count = sum(1 for _ in network.trace(columns))
            seconds.append(time.perf_counter() - start)
        print(f"task {task}: {count} questions traced in {statistics.median(seconds):.2f} s (median of {rounds})")


def answered(networks: Networks, questions: int) -> None:
    """Print how long the page takes to answer."""
    from playwright.sync_api import sync_playwright

    from babi_memnet.demo.page import Page

    page = Page(networks)
    address = page.serve("127.0.0.1", None, False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=QUIET)
        tab = browser.new_page()
        tab.goto(address)
        tab.wait_for_selector("#answer .answer")
        times = []
        for number in range(questions):
            place = ("garden", "kitchen", "office")[number % 3]
            tab.locator("#story textarea").fill(f"Mary went to the {place}.\nJohn went to the hallway.")
            tab.locator("#question :is(textarea, input)").fill("Where is Mary?")
            times.append(tab.evaluate(PRESS))
        browser.close()
    page.close()
    print(f"page: {statistics.median(times):.0f} ms (median of {questions}; {min(times):.0f} to {max(times):.0f})")


def main() -> None:
    """Measure and print one line per quantity."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", help="a finished run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--questions", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.run is None:
            words = ["-m", "task=1,3", "training.restarts=2", "tracker=none", f"runtime.outputs={folder}"]
            subprocess.run(
                [sys.executable, "-m", "babi_memnet.commands.train", *words], check=True, capture_output=True
            )
        rows, _ = collect([options.run or Path(folder)])
        networks = Networks(rows)
        for run in networks.candidates:
            traced(run, options.rounds)
        answered(networks, options.questions)


if __name__ == "__main__":
    main()
