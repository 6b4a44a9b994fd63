"""The scripts of `bitlaw sweep submit` run by bash, with stand-ins for the programs of schedulers.

usage: job_script_test.py BITLAW
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BITLAW = os.path.abspath(sys.argv[1])
YAML = """experiment: script
corpus: {kind: synthetic, vocabulary: 32, order: 1, length: 65536}
model: {layers: 2, width: 32, heads: 2, context: 16}
training: {batch: 8, eval_tokens: 1024, tokens: 4194304, optimizer: {learning_rate: 1e-2}}
fits: []
"""


class JobScript(unittest.TestCase):
    """One long run, started as Slurm starts a task."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "it's out"
        self.calls = self.folder / "calls"
        self.yaml = self.folder / "script.yaml"
        self.yaml.write_text(YAML, encoding="utf-8")
        script = subprocess.run([BITLAW, "sweep", "submit", self.yaml, "--out", self.out, "--dry-run"], check=True,
                                capture_output=True, text=True).stdout
        self.script = self.folder / "job.sh"
        self.script.write_text(script, encoding="utf-8")
        self.stand_in("scontrol", 0)
        self.stand_in("sbatch", 0)

    def stand_in(self, program, exit_code):
        path = self.folder / "bin" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{program} $*" >>"{self.calls}"\nexit {exit_code}\n', encoding="utf-8")
        path.chmod(0o755)

    def claims(self):
        return list(self.out.glob("runs/*/claim"))

    def start(self):
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "SLURM_JOB_ID": "77",
                       "SLURM_ARRAY_TASK_ID": "3"}
        job = subprocess.Popen(["bash", self.script], env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        self.addCleanup(job.wait)
        while not list(self.out.glob("runs/*/layers.txt")):
            time.sleep(0.01)
        time.sleep(0.3)  # into the training
        return job

    def called(self):
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []

    def saved_and_free(self):
        return len(list(self.out.glob("runs/*/checkpoint"))) == 1 and not self.claims()

    def test_near_the_time_limit_the_run_is_saved_and_the_task_requeued(self):
        job = self.start()
        job.send_signal(signal.SIGUSR1)
        self.assertEqual(job.wait(), 130)
        self.assertEqual(self.called(), ["scontrol requeue 77"])
        self.assertTrue(self.saved_and_free())

    def test_where_the_site_forbids_a_requeue_one_task_is_submitted(self):
        self.stand_in("scontrol", 1)
        job = self.start()
        job.send_signal(signal.SIGUSR1)
        self.assertEqual(job.wait(), 130)
        self.assertEqual(self.called(), ["scontrol requeue 77", f"sbatch --array=3 {self.out}/submit/job.sh"])

    def test_a_preempted_or_cancelled_task_is_saved_and_left_to_slurm(self):
        job = self.start()
        for _ in range(3):  # from Slurm to all processes of the task, and from the script
            job.send_signal(signal.SIGTERM)
        self.assertEqual(job.wait(), 130)
        self.assertEqual(self.called(), [])
        self.assertTrue(self.saved_and_free())

    def test_a_task_whose_process_was_killed_is_requeued(self):
        job = self.start()
        claim = self.claims()[0].read_text(encoding="utf-8")
        os.kill(int(claim.split('"pid":')[1].split(",")[0]), signal.SIGKILL)
        self.assertEqual(job.wait(), 137)
        self.assertEqual(self.called(), ["scontrol requeue 77"])

    def test_a_task_that_has_nothing_to_do_ends_well(self):
        self.script.write_text(self.script.read_text(encoding="utf-8").replace(
            " &\n", " --set training.tokens=2048 &\n"), encoding="utf-8")
        job = self.start()
        self.assertEqual(job.wait(), 0)
        self.assertEqual(self.called(), [])


# As far as a sweep sees it: reads the script's comments, runs each task of the array, all at once, and tells a number.
SCHEDULER = """#!/usr/bin/python3
import pathlib, re, subprocess, sys
script = pathlib.Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else sys.stdin.read()
first, last = map(int, re.search(r"^#(?:PBS -J |BSUB -J [^[]*\\[)(\\d+)-(\\d+)", script, re.M).groups())
tasks = [subprocess.Popen(["bash", "-s"], stdin=subprocess.PIPE, text=True, stdout=open(f"{sys.argv[0]}.{i}", "w"),
                          stderr=subprocess.STDOUT) for i in range(first, last + 1)]
for task in tasks:
    task.stdin.write(script)
    task.stdin.close()
print("17.server", [task.wait() for task in tasks])
"""


class OtherSchedulers(unittest.TestCase):
    """A sweep of six runs, two per task, by the templates beside the code."""

    def submitted(self, template, program):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            yaml = folder / "script.yaml"
            yaml.write_text(YAML.replace("4194304", "8192") + "sweep: {seeds: 6}\n", encoding="utf-8")
            (folder / program).write_text(SCHEDULER, encoding="utf-8")
            (folder / program).chmod(0o755)
            flags = [yaml, "--out", folder / "it's out"]
            told = subprocess.run(
                [BITLAW, "sweep", "submit", *flags, "--launcher", "command", "--template",
                 pathlib.Path(__file__).parents[2] / "experiments/launch/templates" / template, "--per-task", "2",
                 "--workers", "1", "--time", "1:00", "--partition", "short"], check=True, capture_output=True, text=True,
                env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}).stdout
            status = subprocess.run([BITLAW, "sweep", "status", *flags], check=True, capture_output=True, text=True).stdout
            logs = "".join(log.read_text(encoding="utf-8") for log in sorted(folder.glob(f"{program}.*")))
            return told, status, sorted(re.findall(r"^\d+/\d+ (.*): loss ", logs, re.MULTILINE))

    def check_each_run_once(self, template, program):
        told, status, finished = self.submitted(template, program)
        self.assertIn("17.server [0, 0, 0]", told)
        self.assertIn("6 done", status)
        self.assertEqual(finished, [f"seed={seed}" for seed in range(6)])

    def test_three_tasks_of_pbs_train_each_run_once(self):
        self.check_each_run_once("pbs.sh", "qsub")

    def test_three_tasks_of_lsf_train_each_run_once(self):
        self.check_each_run_once("lsf.sh", "bsub")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
