"""What the snippets of the documentation suppose to be there: the repository, built, and files of their reader."""

import math
import os
import pathlib
import random
import shutil
import subprocess
import sys

# What a part of an experiment file is part of.
EXPERIMENT = """experiment: part
corpus: {kind: synthetic, vocabulary: 32, order: 1, length: 65536}
model: {layers: 1, width: 32, heads: 2, context: 16}
training: {tokens: 4096, batch: 8, eval_tokens: 1024}
"""

FOLDERS = ["core", "data", "docs", "experiments", "fitting", "notebooks", "scripts", "simulators", "tests"]


def losses(header, rows):
    return "\n".join([header, *rows]) + "\n"


def runs_csv():
    """Losses by Hoffmann et al.'s coefficients (arXiv:2203.15556, Eq. 10) with noise of 0.2 %."""
    noise = random.Random(1)
    rows = []
    for n in (1e7, 3e7, 1e8, 3e8, 1e9):
        for d in (2e8, 6e8, 2e9, 6e9, 2e10):
            loss = (1.69 + 406.4 * n**-0.34 + 410.7 * d**-0.28) * math.exp(noise.gauss(0, 0.002))
            rows.append(f"{n:g},{d:g},{n:g},{d:g},{6 * n * d:g},{loss:.6f}")
    return losses("N,D,params,tokens,flops,loss", rows)


def curve_csv(final, steps=1000, warmup=100, peak=3e-3):
    """Losses by Tissue et al.'s law (arXiv:2408.11029, Eq. 1) under a cosine that ends at `final` of its peak."""
    rows, area, annealing, momentum, rate = [], 0.0, 0.0, 0.0, peak
    for step in range(1, steps + 1):
        done = max(0.0, (step - warmup) / (steps - warmup))
        new = peak * (min(1.0, step / warmup) if done == 0 else final + (1 - final) * (1 + math.cos(math.pi * done)) / 2)
        momentum = 0.99 * momentum + (rate - new if step > warmup else 0)
        rate, area, annealing = new, area + new, annealing + momentum
        rows.append(f"{step},{new:.9g},{1.5 + 0.5 * (area + 1e-3) ** -0.4 - 0.6 * annealing:.6f}")
    return losses("step,lr,loss", rows)


class Store:
    """A folder with the files once, of which each page gets its own copies."""

    def __init__(self, repository, program, folder):
        self.repository, self.program, self.folder = repository, program, folder
        (folder / "bin").mkdir()
        (folder / "bin" / "bitlaw").symlink_to(program)
        path = f"{folder / 'bin'}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "BITLAW_PROGRAM": str(program),
                            "LC_ALL": "C.UTF-8", "COLUMNS": "120"}
        self.files = self.folder_for("files")
        self.write_files()

    def folder_for(self, page):
        """A folder as a reader has it before the page: a checkout with a build, and the files."""
        folder = self.folder / "pages" / page.replace("/", "_")
        if hasattr(self, "files"):
            shutil.copytree(self.files, folder, symlinks=True)
            return folder
        (folder / "build").mkdir(parents=True)
        for build in "release", "dev":
            (folder / "build" / build).symlink_to(self.program.parent)
        for name in FOLDERS:
            (folder / name).symlink_to(self.repository / name)
        return folder

    def write_files(self):
        """The files by the program itself; what it is given is planted or random."""
        smoke = (self.repository / "experiments" / "configs" / "smoke.yaml").read_text(encoding="utf-8")
        small = smoke.replace("[2048, 4096, 8192]", "[1024, 2048, 4096]").replace("per: precision, ", "")
        texts = {"my.yaml": smoke.replace("experiment: smoke", "experiment: my"),
                 "x.yaml": small.replace("experiment: smoke", "experiment: x").replace("sweep:", "sweep:\n  seeds: 2"),
                 "runs.csv": runs_csv(), "losses.csv": runs_csv(), "a.csv": curve_csv(0.1), "b.csv": curve_csv(0.1),
                 "c.csv": curve_csv(1.0)}
        for name, text in texts.items():
            (self.files / name).write_text(text, encoding="utf-8")
        subprocess.run(["bash", "-e", "-c", COMMANDS], cwd=self.files, env=self.environment, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


COMMANDS = r"""
bitlaw run x.yaml --set sweep.seeds=1 2>/dev/null
mkdir -p results/quickstart
cp results/x/sweep.h5 results/quickstart/sweep.h5
cp results/x/sweep.h5 a.h5
cp results/x/sweep.h5 sweep.h5
bitlaw sweep merge a.h5 a.h5 --to b.h5
bitlaw fit chinchilla runs.csv --bootstrap 50 --json fit.json --hdf5 fit.h5
bitlaw fit annealing a.csv c.csv --where 'step > 100' --set lambda=0.99 --bootstrap 20 --json annealing.json \
    --hdf5 annealing.h5
python3 - <<'END'
import numpy as np
random = np.random.default_rng(1)
np.save("w.npy", random.standard_normal((64, 256)).astype(np.float32))
np.save("a.npy", random.standard_normal((16, 64)).astype(np.float32))
np.save("b.npy", random.standard_normal((64, 16)).astype(np.float32))
END
"""
