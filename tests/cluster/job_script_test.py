"""The script of `bitlaw sweep submit` run by bash, with stand-ins for scontrol and sbatch that write down their words.

usage: job_script_test.py BITLAW
"""
import os
import pathlib
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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
