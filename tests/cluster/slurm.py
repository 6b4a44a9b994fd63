"""A real Slurm on this machine, without systemd: munge, a controller and node daemons that all listen on 127.0.0.1."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = "munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo"

CONFIGURATION = """
ClusterName=bitlaw
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,requeue_delay=1
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmdTimeout=20
KillWait=3
MinJobAge=3600
MaxArraySize=40
NodeName=n[0-1] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{node_ports}] CPUs=1 RealMemory=2000
PartitionName=low Nodes=n[0-1] Default=YES MaxTime=60 State=UP PriorityTier=1
PartitionName=high Nodes=n[0-1] MaxTime=60 State=UP PriorityTier=10 PreemptMode=OFF
"""


def why_not():
    """Why no Slurm can be started here; None when one can."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        return f"{', '.join(missing)} missing; scripts/setup.sh dev installs slurmctld, slurmd, slurm-client and munge"
    if os.geteuid() != 0:
        return "starting Slurm's daemons needs root"
    return None


def free_ports(count):
    """Ports that follow one another and that nobody listens on just now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = probe.getsockname()[1]
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue


class Slurm:
    """Two nodes of one processor; the partition `high` preempts `low`, whose jobs are requeued."""

    NODES = "n0", "n1"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name in "state", "log", "munge", "spool/n0", "spool/n1":
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge").chmod(0o700)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        ports = free_ports(3)
        self.configuration = self.folder / "slurm.conf"
        self.configuration.write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], folder=self.folder, controller_port=ports,
            node_ports=f"{ports + 1}-{ports + 2}"), encoding="utf-8")
        self.environment = {**os.environ, "SLURM_CONF": str(self.configuration),
                            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}

    def start(self):
        munge = self.folder / "munge"
        self.run("munged", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket", f"--pid-file={munge}/pid",
                 f"--log-file={self.folder}/log/munged.log", f"--seed-file={munge}/seed")
        self.start_controller()
        for node in self.NODES:
            self.start_node(node)
        self.wait_until_idle()

    def run(self, *words, check=True):
        """What a program of Slurm prints. With `check` off it may fail, or hang: scancel waits for jobs that change."""
        try:
            result = subprocess.run(words, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, timeout=60 if check else 10, check=False)
        except subprocess.TimeoutExpired:
            if check:
                raise
            return ""
        if check and result.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit code {result.returncode}: {result.stdout}")
        return result.stdout

    def start_controller(self):
        self.run("slurmctld", "-f", str(self.configuration))

    def start_node(self, node):
        self.run("slurmd", "-N", node, "-f", str(self.configuration))

    def stop_controller(self):
        self.end(self.folder / "slurmctld.pid", signal.SIGTERM)

    def kill_node(self, node):
        """The daemon alone: what it started goes on."""
        self.end(self.folder / f"slurmd.{node}.pid", signal.SIGKILL)

    def set_node(self, node, state):
        self.run("scontrol", "update", f"nodename={node}", f"state={state}", "reason=test", check=False)

    def queue(self):
        """(task, state, partition) of each task that has not ended; waits for a controller that is coming up."""
        for _ in range(20):
            try:
                rows = self.run("squeue", "--noheader", "--array", "--format=%i|%T|%P").splitlines()
                return [tuple(row.split("|")) for row in rows if row.count("|") == 2]
            except RuntimeError:
                time.sleep(0.5)
        raise RuntimeError("squeue gets no answer")

    def wait_until_idle(self):
        for _ in range(300):
            if self.run("sinfo", "-h", "-p", "low", "-t", "idle", "-o", "%D", check=False).strip() == "2":
                return
            time.sleep(0.1)
        logs = [log.read_text(encoding="utf-8", errors="replace")[-2000:] for log in (self.folder / "log").iterdir()]
        raise RuntimeError("the nodes did not come up:\n" + "\n".join(logs))

    @staticmethod
    def end(pid_file, with_signal):
        """Ends one daemon and waits until it is gone."""
        try:
            pid = int(pid_file.read_text(encoding="utf-8"))
            os.kill(pid, with_signal)
            for _ in range(300):
                os.kill(pid, 0)
                time.sleep(0.05)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            pass

    def stop(self):
        """Ends the jobs, then whatever was started, also when only a part of it was."""
        try:
            for task, _, _ in self.queue():
                self.run("scancel", task, check=False)
            for _ in range(100):
                if not self.queue():
                    break
                time.sleep(0.1)
        except (subprocess.TimeoutExpired, RuntimeError):
            pass  # no controller answers
        for node in self.NODES:
            self.end(self.folder / f"slurmd.{node}.pid", signal.SIGTERM)
        self.stop_controller()
        self.end(self.folder / "munge" / "pid", signal.SIGTERM)
