"""scripts/setup.sh installs only what is missing, is silent when nothing is, and names the step that failed."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SETUP = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "setup.sh"
INSTALLED_ALL = 'shift 3; for package; do echo "installed $package"; done'


class Setup(unittest.TestCase):
    """Runs a copy of the script with stand-ins for the commands that would change the machine."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        (self.root / "scripts").mkdir()
        shutil.copy(SETUP, self.root / "scripts")
        requirements = "# why\nabacus==1.0\nbeads==2.1\n"
        for folder in "tests/conformance", "build/oracle-venv", "docs", "build/docs-venv":
            (self.root / folder).mkdir(parents=True)
            (self.root / folder / "requirements.txt").write_text(requirements, encoding="utf-8")
        self.command("id", "echo 0")
        self.command("dpkg-query", INSTALLED_ALL)
        self.command("apt-get", 'echo "$@" >>apt-calls')
        self.command("cmake", "true")

    def command(self, name, body):
        path = self.root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def run_setup(self, preset="release", **environment):
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        # No HOME, no standard input, another folder than the repository's: as a job scheduler may start it.
        return subprocess.run(["bash", "-c", f"exec '{self.root}/scripts/setup.sh' {preset} <&-"], cwd="/", text=True,
                              env={"PATH": path, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def apt_calls(self):
        calls = self.root / "apt-calls"
        return calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []

    def test_nothing_missing_is_silent_and_calls_no_apt(self):
        for preset in "release", "dev", "asan-ubsan", "benchmark", "docs":
            result = self.run_setup(preset)
            self.assertEqual((result.returncode, result.stdout, self.apt_calls()), (0, "", []))

    def test_without_the_build_cmake_is_not_called(self):
        self.command("cmake", "false")
        self.assertEqual(self.run_setup("docs", BITLAW_SKIP_BUILD="1").returncode, 0)
        self.assertEqual(self.run_setup("docs").returncode, 1)

    def test_only_the_missing_packages_are_installed_after_an_update(self):
        self.command("dpkg-query", INSTALLED_ALL.replace("echo", '[[ $package = *fmt* ]] || echo'))
        result = self.run_setup()
        self.assertEqual((result.returncode, result.stdout), (0, "setup.sh: installing with apt-get: libfmt-dev\n"))
        self.assertEqual(self.apt_calls(), [
            "-o DPkg::Lock::Timeout=300 update --error-on=any",
            "-o DPkg::Lock::Timeout=300 install --yes --no-install-recommends libfmt-dev"])

    def test_a_package_removed_but_not_purged_counts_as_missing(self):
        self.command("dpkg-query", INSTALLED_ALL.replace("installed", "config-files"))
        self.run_setup()
        self.assertIn("install --yes --no-install-recommends cmake dict-gcide g++ git", self.apt_calls()[1])

    def test_tests_need_more_packages_than_the_program(self):
        self.command("dpkg-query", "exit 1")
        self.run_setup("release")
        self.run_setup("dev")
        self.run_setup("asan-ubsan")
        program, tests, sanitized = (set(call.split()) for call in self.apt_calls()[1::2])
        self.assertGreaterEqual(tests - program, {"doctest-dev", "python3-xarray", "hdf5-tools", "netcdf-bin"})
        self.assertEqual((program - tests, sanitized), (set(), tests))

    def test_benchmarks_need_a_library_to_compare_with(self):
        self.command("dpkg-query", "exit 1")
        self.run_setup("release")
        self.run_setup("benchmark")
        program, benchmarks = (set(call.split()) for call in self.apt_calls()[1::2])
        self.assertEqual((benchmarks - program, program - benchmarks),
                         ({"libbenchmark-dev", "libopenblas-dev", "pkg-config"}, set()))

    def test_without_root_it_goes_through_sudo(self):
        self.command("id", "echo 1000")
        self.command("dpkg-query", "exit 1")
        self.command("sudo", 'echo sudo >>apt-calls; exec "$@"')
        self.assertRegex(self.run_setup().stdout, "^setup.sh: installing with sudo apt-get: cmake ")
        self.assertEqual([call.split()[0] for call in self.apt_calls()], ["sudo", "-o"] * 2)

    def test_a_failed_step_is_named_with_the_end_of_its_log(self):
        self.command("cmake", 'if [ "$1" = --build ]; then echo "[1/2] Building x"; echo "x.cpp:1: error"; exit 3; fi')
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stdout.endswith(
            "[1/2] Building x\nx.cpp:1: error\nsetup.sh: cmake --build --preset release failed; the whole log is "
            f"{self.root}/build/log/build-release.log\n"), result.stdout)
        self.command("dpkg-query", "exit 1")
        self.command("apt-get", 'echo "E: no"; [ "$3" = update ]')
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stdout.endswith(
            f"E: no\nsetup.sh: apt-get install failed; the whole log is {self.root}/build/log/apt-install.log\n"))

    def test_other_requirements_make_a_new_python_folder_and_failing_that_is_said(self):
        (self.root / "build/oracle-venv/requirements.txt").unlink()
        self.command("python3", 'echo "$@" >>python-calls; mkdir -p "$4/bin"; printf "#!/bin/sh\\ntrue" >"$4/bin/pip"; '
                                'chmod +x "$4/bin/pip"')
        said = "setup.sh: installing into build/oracle-venv: abacus==1.0 beads==2.1\n"
        for expected in said, "":  # the second time nothing is to do
            result = self.run_setup("dev")
            self.assertEqual((result.returncode, result.stdout), (0, expected))
        calls = (self.root / "python-calls").read_text(encoding="utf-8")
        self.assertEqual(calls, "-m venv --clear build/oracle-venv\n")
        self.command("python3", "exit 1")
        (self.root / "build/oracle-venv/requirements.txt").unlink()
        result = self.run_setup("dev")
        self.assertEqual((result.returncode, result.stdout),
                         (0, said + "setup.sh: that failed, so formats are not compared with those of other libraries "
                                    "and the Python package is not built; "
                                    f"its log is {self.root}/build/log/oracle-venv.log\n"))

    def test_installation_can_be_skipped(self):
        self.command("dpkg-query", "exit 1")
        result = self.run_setup(BITLAW_SKIP_INSTALL="1")
        self.assertEqual((result.returncode, result.stdout, self.apt_calls()), (0, "", []))


if __name__ == "__main__":
    unittest.main()
