"""A full disk, a read-only folder, damaged files, many writers: each is told, nothing is lost, the run stays due.

usage: faults_test.py BITLAW
"""
import contextlib
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time
import unittest

BITLAW = os.path.abspath(sys.argv[1])
YAML = """experiment: faults
corpus: {kind: synthetic, vocabulary: 32, order: 1, length: 65536}
model: {layers: 1, width: 16, heads: 2, context: 16}
training: {batch: 8, eval_tokens: 1024, tokens: 16384, optimizer: {learning_rate: 1e-2}}
sweep: {grid: {training.seed: [1, 2, 3, 4, 5, 6]}}
fits: []
"""


class StorageFaults(unittest.TestCase):
    """Six tiny runs in a folder of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.yaml = self.folder / "faults.yaml"
        self.yaml.write_text(YAML, encoding="utf-8")
        self.out = self.folder / "out"

    def bitlaw(self, *words, out=None, file_size=None):
        """Exit code, what was printed, what was complained of. `file_size`: the largest file that it may write."""
        def limit():
            if file_size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
        # Python ignores SIGXFSZ, and so does what it starts: the write fails with EFBIG instead.
        result = subprocess.run([BITLAW, *words, self.yaml, "--out", out or self.out, "--workers", "2"],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                                restore_signals=False, preexec_fn=limit)
        return result.returncode, result.stdout, result.stderr

    def found(self, out=None):
        """Kinds of what bitlaw doctor finds, in its order; its exit code says whether that is nothing."""
        result = subprocess.run([BITLAW, "doctor", out or self.out, "--json"], capture_output=True, text=True,
                                check=False)
        kinds = [finding["kind"] for finding in json.loads(result.stdout)["findings"]]
        self.assertEqual(result.returncode, 1 if kinds else 0)
        return kinds

    @contextlib.contextmanager
    def disk(self, size):
        """A disk of a size, by root only."""
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("only root mounts a small disk")
        try:
            yield disk
        finally:
            subprocess.run(["umount", disk], check=True)

    @staticmethod
    def remount(disk, options):
        subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)

    def results(self, out=None):
        """Each result without what is measured on a clock."""
        results = {}
        for file in sorted((out or self.out).glob("runs/*/result.json")):
            results[file.parent.name] = json.loads(file.read_text(encoding="utf-8"))
            del results[file.parent.name]["wall_seconds"], results[file.parent.name]["checksum"]
        return results

    def whole(self):
        """The results of a run that nothing happened to."""
        out = self.folder / "whole"
        self.assertEqual(self.bitlaw("run", out=out)[0], 0)
        return self.results(out)

    def temporary_files(self, out=None):
        return list((out or self.out).rglob("*.bitlaw-tmp-*"))

    def test_a_full_disk_is_told_and_with_room_again_all_runs_end_with_the_same_bits(self):
        with self.disk("48k") as disk:  # room for the first result, not for all
            out = disk / "out"
            code, _, complaint = self.bitlaw("sweep", "work", out=out)
            self.assertEqual(code, 1)
            self.assertIn("No space left on device", complaint)
            done = self.results(out)
            self.assertLess(len(done), 6)
            self.assertEqual(self.temporary_files(out), [])
            room = os.statvfs(disk)  # two results that fitted only one by one may have left it
            (disk / "rest").write_bytes(bytes(room.f_bavail * room.f_frsize))
            self.assertIn("full disk", self.found(out))
            self.remount(disk, "size=10m")
            self.assertEqual(self.bitlaw("sweep", "work", out=out)[0], 0)
            results = self.results(out)
            self.assertEqual(results, self.whole())
            self.assertEqual({run: results[run] for run in done}, done)
            self.assertEqual(self.found(out), [])

    def test_a_file_that_may_not_grow_is_told_and_leaves_the_run_due(self):
        code, _, complaint = self.bitlaw("sweep", "work", file_size=8000)  # a result takes some 20,000 bytes
        self.assertEqual(code, 1)
        self.assertIn("File too large", complaint)
        self.assertEqual((self.results(), self.temporary_files()), ({}, []))
        self.assertEqual(self.bitlaw("sweep", "work")[0], 0)
        self.assertEqual(self.results(), self.whole())

    def test_a_read_only_folder_is_refused_at_once_and_changes_nothing(self):
        with self.disk("10m") as disk:
            out = disk / "out"
            self.assertEqual(self.bitlaw("sweep", "work", out=out)[0], 0)
            lost = next(out.glob("runs/*/result.json"))
            lost.unlink()
            self.remount(disk, "ro")
            for verb in ["run"], ["sweep", "work"]:
                code, printed, complaint = self.bitlaw(*verb, out=out)
                self.assertEqual((code, printed), (2, ""))
                self.assertEqual(complaint, f"{out}: cannot be written (Read-only file system), so results would be "
                                            "lost; choose another folder with --out\n")
            self.assertEqual(self.found(out), ["read-only"])
            self.remount(disk, "rw")
            self.assertEqual(self.bitlaw("sweep", "work", out=out)[1].split()[0], "1")

    def test_damaged_results_are_told_kept_and_trained_again(self):
        whole = self.whole()
        self.assertEqual(self.bitlaw("run")[0], 0)
        files = sorted(self.out.glob("runs/*/result.json"))
        chance = random.Random(1)
        for number, file in enumerate(files[:4]):
            content = bytearray(file.read_bytes())
            if number % 2:
                content = content[:chance.randrange(len(content) - 1)]
            else:
                content[chance.randrange(len(content) - 1)] ^= 1 << chance.randrange(7)
            file.write_bytes(content)
        self.assertEqual(self.found(), ["damaged result"] * 4 + ["outdated sweep file"])
        code, printed, complaint = self.bitlaw("run")
        self.assertEqual(code, 0, complaint)
        for file in files[:4]:
            self.assertIn(f"{file}: is cut short or changed, so the run counts as not done", complaint)
            self.assertTrue(file.with_name("result.json.damaged").exists())
        self.assertEqual(self.results(), whole)
        self.assertIn("faults", printed)
        self.assertEqual(self.found(), ["set aside"] * 4)

    def test_a_process_of_another_container_keeps_its_runs_while_it_beats_and_loses_them_when_it_is_killed(self):
        apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]  # its process numbers say nothing here
        if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("only root makes a space of process numbers")
        self.yaml.write_text(YAML.replace("16384", "1048576").replace("[1, 2, 3, 4, 5, 6]", "[1]"), encoding="utf-8")
        flags = "--workers", "1", "--beat-seconds", "0.1"
        words = [BITLAW, "sweep", "work", self.yaml, "--out", self.out, *flags]
        with subprocess.Popen([*apart, *words], stderr=subprocess.DEVNULL) as other:
            while not list(self.out.glob("runs/*/claim")):
                time.sleep(0.01)
            start = time.monotonic()
            ours = subprocess.run(words, capture_output=True, text=True, check=True)
            self.assertEqual(ours.stdout, "0 runs trained here, 0 failed, 1 left to other processes\n")
            self.assertLess(time.monotonic() - start, 30)
            other.kill()
        self.assertEqual(self.results(), {})
        ours = subprocess.run(words, capture_output=True, text=True, check=True)
        self.assertEqual(ours.stdout, "1 runs trained here, 0 failed, 0 left to other processes\n")

    def test_a_clock_that_was_set_back_changes_no_bit_and_is_told(self):
        whole = self.whole()
        self.assertIn(self.bitlaw("sweep", "work", "--checkpoint-seconds", "0", "--max-seconds", "0.3")[0], [0, 130])
        tomorrow = time.time() + 86400  # what was written before the clock was set back
        files = [file for file in self.out.rglob("*") if file.is_file()]
        for file in files:
            os.utime(file, (tomorrow, tomorrow))
        self.assertEqual(self.found().count("time in the future"), 1)
        self.assertEqual(self.bitlaw("run")[0], 0)
        self.assertEqual(self.results(), whole)
        self.assertEqual(self.bitlaw("run")[0], 0)  # nothing is made again for its time's sake
        self.assertEqual([file.name for file in self.out.rglob("*.damaged*")], [])

    def test_two_plans_at_once_in_one_folder_share_their_runs_and_each_run_is_trained_once(self):
        def start(seeds):
            words = [BITLAW, "run", self.yaml, "--out", self.out, "--workers", "1", "--json", "--set",
                     f"sweep.grid.training.seed={seeds}"]
            return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        planners = [start([1, 2, 3, 4]), start([3, 4, 5, 6])]
        reports = [json.loads(planner.communicate()[0]) for planner in planners]
        self.assertEqual([planner.returncode for planner in planners], [0, 0])
        self.assertEqual([len(report["runs"]) for report in reports], [4, 4])
        self.assertEqual(sum(report["trained"] for report in reports), 6)
        self.assertEqual(self.results(), self.whole())
        self.assertEqual(self.temporary_files(), [])
        plan = json.loads((self.out / "plan.json").read_text(encoding="utf-8"))
        planned = [{run["run_id"] for run in report["runs"]} for report in reports]
        self.assertIn({run[0] for run in plan["runs"]}, planned)  # one of the two, whole

    def test_many_writers_of_one_folder_leave_whole_files_of_equal_content(self):
        self.assertEqual(self.bitlaw("sweep", "work")[0], 0)
        words = [BITLAW, "run", self.yaml, "--out", self.out, "--json"]
        writers = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        reports = [json.loads(writer.communicate()[0]) for writer in writers]
        self.assertEqual([writer.returncode for writer in writers], [0] * 4)
        self.assertTrue(all(report["trained"] == 0 and report["runs"] == reports[0]["runs"] for report in reports))
        self.assertEqual(self.temporary_files(), [])
        self.assertEqual(self.bitlaw("run")[0], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
