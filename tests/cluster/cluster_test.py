"""A sweep on a real Slurm whose tasks are preempted, cancelled, drained and killed: each run ends exactly once.

usage: cluster_test.py BITLAW [--whole]    (exit code 77: no Slurm can be started here)
"""
import collections
import hashlib
import json
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import slurm as slurm_module

YAML = """experiment: cluster
corpus: {{kind: synthetic, vocabulary: 32, order: 1, length: 65536}}
model: {{layers: 2, width: 32, heads: 2, context: 16}}
training: {{batch: 8, eval_tokens: 1024, tokens: {tokens}, optimizer: {{learning_rate: 1e-2}}}}
sweep:
  grid: {{training.seed: [{seeds}], precision: [float32, mxfp4]}}
fits: []
"""
SHORT = {"runs": 12, "tokens": 262144, "limit": 400, "rounds": 1}
WHOLE = {"runs": 60, "tokens": 262144, "limit": 2400, "rounds": 6}
SECONDS = 450  # that the whole sweep takes without a cluster, at least: its events need about 6 minutes


class Sweep:
    """The sweep under test and what may happen to its tasks."""

    def __init__(self, bitlaw, folder, slurm, size):
        self.bitlaw, self.slurm, self.size = bitlaw, slurm, size
        self.yaml, self.results = folder / "cluster.yaml", folder / "my results"
        seeds = ", ".join(str(seed) for seed in range(1, size["runs"] // 2 + 1))
        self.yaml.write_text(YAML.format(tokens=size["tokens"], seeds=seeds), encoding="utf-8")
        self.first_seen = {}  # run: what its result was when it was first there
        self.happened = collections.Counter()
        self.random = random.Random(7)

    def run(self, *words, expected=(0,)):
        result = subprocess.run([self.bitlaw, *words], env=self.slurm.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode not in expected:
            raise AssertionError(f"bitlaw {' '.join(map(str, words))}: exit code {result.returncode}\n{result.stderr}")
        return result.stdout

    def run_here(self, results):
        """Trains everything without a cluster; returns the seconds that it took."""
        start = time.monotonic()
        self.run("run", self.yaml, "--out", results)
        return time.monotonic() - start

    def submit(self):
        print(self.run("sweep", "submit", self.yaml, "--out", self.results, "--partition", "low", "--time", "5",
                       "--per-task", "4", "--checkpoint-seconds", "0.1").strip(), flush=True)
        self.happened["submissions"] += 1

    def show_without_submitting(self):
        flags = self.yaml, "--out", self.results, "--partition", "low", "--time", "5"
        script = self.run("sweep", "submit", *flags, "--dry-run")
        assert script.startswith("#!/bin/bash\n"), script
        self.run("sweep", "submit", *flags, "--test-only")
        # MaxArraySize of the test's Slurm is 40.
        tasks = min(self.size["runs"], 40)
        assert f"#SBATCH --array=0-{tasks - 1}\n" in script, script
        assert not self.slurm.queue(), "submitted all the same"

    def note_results(self):
        """Remembers each new result; one that changes later was written twice."""
        for file in self.results.glob("runs/*/result.json"):
            now = (file.stat().st_ino, hashlib.sha256(file.read_bytes()).hexdigest())
            before = self.first_seen.setdefault(file.parent.name, now)
            assert before == now, f"{file} was replaced"
        return len(self.first_seen)

    def low_tasks(self):
        return [task for task, state, partition in self.slurm.queue() if partition == "low" and state == "RUNNING"]

    # What happens to the tasks; each returns whether there was something to happen to.

    def preempt(self):
        if not self.low_tasks():
            return False
        self.slurm.run("sbatch", "--partition=high", "--nodes=2", "--output=/dev/null", "--wrap=sleep 2")
        return True

    def cancel(self):
        tasks = self.low_tasks()
        if tasks:
            self.slurm.run("scancel", self.random.choice(tasks), check=False)
        return bool(tasks)

    def near_time_limit(self):
        """What Slurm sends a minute before the time limit, for which no test waits: the script requeues its task."""
        tasks = self.low_tasks()
        if tasks:
            self.slurm.run("scancel", "--batch", "--signal=USR1", self.random.choice(tasks), check=False)
        return bool(tasks)

    def drain(self):
        node = self.random.choice(self.slurm.NODES)
        self.slurm.set_node(node, "drain")
        time.sleep(2)
        self.slurm.set_node(node, "resume")
        return True

    def lose_node(self):
        """Slurm takes the node for dead and requeues its jobs; the daemon comes back later."""
        node = self.random.choice(self.slurm.NODES)
        self.slurm.kill_node(node)
        self.slurm.set_node(node, "down")
        time.sleep(2)
        self.slurm.start_node(node)
        self.slurm.set_node(node, "resume")
        return True

    def restart_controller(self):
        self.slurm.stop_controller()
        time.sleep(1)
        self.slurm.start_controller()
        return True

    def kill_worker(self):
        owners = set()
        for claim in self.results.glob("runs/*/claim"):
            try:
                owners.add(json.loads(claim.read_text(encoding="utf-8"))["pid"])
            except (OSError, ValueError):
                pass  # released just now
        alive = [pid for pid in owners if os.path.exists(f"/proc/{pid}")]
        if alive:
            try:
                os.kill(self.random.choice(sorted(alive)), signal.SIGKILL)
            except ProcessLookupError:
                return False
        return bool(alive)

    def endure(self):
        """Everything happens again and again while the sweep goes on; lost tasks are submitted anew."""
        kinds = ["kill_worker", "preempt", "near_time_limit", "cancel", "kill_worker", "lose_node",
                 "restart_controller", "drain"]
        plan = kinds * self.size["rounds"]
        start, next_event = time.monotonic(), 0.0
        while self.note_results() < self.size["runs"]:
            seconds = time.monotonic() - start
            assert seconds < self.size["limit"], f"not done after {seconds:.0f} s: {self.state()}"
            if not self.slurm.queue() and self.note_results() < self.size["runs"]:
                self.submit()
            # Where runs are quick: less of the plan than of the sweep is over.
            late = 1 - len(plan) / len(kinds) / self.size["rounds"] < self.note_results() / self.size["runs"]
            if plan and (late or time.monotonic() > next_event) and getattr(self, plan[0])():
                self.happened[plan.pop(0)] += 1
                next_event = time.monotonic() + self.random.uniform(0.5, 3)
            time.sleep(0.2)
        print(f"{self.size['runs']} runs done after {time.monotonic() - start:.0f} s; "
              f"happened: {dict(self.happened)}; left out: {plan}", flush=True)
        return plan

    def state(self):
        return self.run("sweep", "status", self.yaml, "--out", self.results)

    def published(self):
        """How many tasks said of each run that it was theirs to finish."""
        counts = collections.Counter()
        for log in self.results.glob("submit/slurm-*.out"):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
                told = re.match(r"\d+/\d+ (.*): loss ", line)
                if told:
                    counts[told[1]] += 1
        return counts

    def check(self, local):
        runs = self.size["runs"]
        for _ in range(300):  # the last tasks are still ending
            if not self.slurm.queue():
                break
            time.sleep(0.2)
        assert self.note_results() == runs
        counts = self.published()
        assert all(count == 1 for count in counts.values()), f"published more than once: {counts}"
        assert len(counts) >= runs - self.happened["kill_worker"], f"only {len(counts)} tell of their end"
        left = [file.name for file in self.results.glob("runs/*/*")
                if file.name not in ("config.json", "layers.txt", "result.json")]
        assert not left, f"left behind: {left}"
        report = json.loads(self.run("run", self.yaml, "--out", self.results, "--json"))
        assert (report["trained"], report["failed"]) == (0, 0), "a result was damaged"
        assert same_runs(self.results / "sweep.h5", local / "sweep.h5") == runs


def same_runs(a, b):
    """How many runs two files hold, when their losses and states are the same to the last bit."""
    import h5py  # pylint: disable=import-outside-toplevel
    with h5py.File(a) as first, h5py.File(b) as second:
        for name in "run_id", "loss", "train_loss", "state_hash":
            left, right = first["runs"][name][()], second["runs"][name][()]
            assert left.tobytes() == right.tobytes() if left.dtype.kind == "f" else (left == right).all(), name
        return len(first["runs"]["loss"])


def main():
    reason = slurm_module.why_not()
    if reason:
        print(f"skipped: {reason}")
        return 77
    bitlaw, size = os.path.abspath(sys.argv[1]), WHOLE if "--whole" in sys.argv else SHORT
    with tempfile.TemporaryDirectory(prefix="bitlaw-cluster-") as name:
        folder = pathlib.Path(name)
        slurm = slurm_module.Slurm(folder / "slurm")
        try:
            slurm.start()
            sweep = Sweep(bitlaw, folder, slurm, size)
            seconds = sweep.run_here(folder / "local")
            if size is WHOLE and seconds < SECONDS:
                size = WHOLE | {"tokens": WHOLE["tokens"] * math.ceil(SECONDS / seconds)}
                sweep = Sweep(bitlaw, folder, slurm, size)
                sweep.run_here(folder / "local")
            sweep.show_without_submitting()
            left_out = sweep.endure()
            sweep.check(folder / "local")
            assert "--whole" not in sys.argv or not left_out, f"the sweep was over before {left_out}"
        finally:
            slurm.stop()
    print("every run was finished exactly once, with the bits of a local run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
