#!/usr/bin/env python3
"""peak_memory.py BITLAW: the peak memory that `bitlaw train --explain` tells before a run, beside that of the run.

The second is what the kernel says of the finished process (ru_maxrss). Prints a table in Markdown and fails where the two
are more than 5 % apart.
"""
import os
import re
import subprocess
import sys
import tempfile

LANGUAGE = "corpus: {kind: synthetic, length: 100000, vocabulary: 256}\n"
CONFIGURATIONS = {
    "language, 64 x 2": LANGUAGE + "model: {width: 64, layers: 2, heads: 2, context: 64}",
    "language, 128 x 4": LANGUAGE + "model: {width: 128, layers: 4, heads: 4, context: 128}",
    "language, 128 x 4, nvfp4": LANGUAGE + "precision: nvfp4\nmodel: {width: 128, layers: 4, heads: 4, context: 128}",
    "language, 256 x 6": LANGUAGE + "model: {width: 256, layers: 6, heads: 4, context: 128}",
    "language, 256 x 6, mxfp4": LANGUAGE + "precision: mxfp4\nmodel: {width: 256, layers: 6, heads: 4, context: 128}",
    "language, 256 x 6, sgd": LANGUAGE + "training.optimizer.kind: sgd\nmodel: {width: 256, layers: 6, context: 128}",
    "language, 128 x 4, statistics": LANGUAGE
    + "precision: mxfp4\nstatistics: {every: 5, shadows: [nvfp4]}\nmodel: {width: 128, layers: 4, context: 128}",
    "language, text of 40 MB": "corpus.files: /usr/share/dictd/gcide.dict.dz\nmodel: {width: 64, layers: 2, context: 64}",
    "classification, convnet": "task: classification\nclassification: {data: gaussian, side: 32}\n"
    "model: {width: 16, layers: 3}\ntraining.batch: 64",
    "classification, perceptron": "task: classification\nclassification: {data: gaussian, side: 32, net: mlp}\n"
    "model: {width: 1024, layers: 3}\ntraining.batch: 64",
    "regression": "task: regression\nregression.outputs: 64\nmodel.width: 8192\ntraining.batch: 256",
    "diffusion, images": "task: diffusion\ndiffusion.density: images\nclassification: {data: gaussian, side: 32}\n"
    "model: {width: 1024, layers: 2}\ntraining.batch: 128",
}


def yaml_of(text):
    tokens = 6 * (16 * 128 if "task" not in text else 256)
    return f"experiment: memory\n{text}\ntraining.tokens: {tokens}\ntraining.eval_tokens: 512\n"


def peak_of(command):
    """What it prints, and its peak memory [bytes]."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed: {text}")
    return text, usage.ru_maxrss * 1024


def main():
    bitlaw = sys.argv[1]
    worst = 0
    print("| configuration | told before | measured | off |\n|---|---|---|---|")
    for name, text in CONFIGURATIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "x.yaml")
            with open(file, "w", encoding="utf-8") as out:
                out.write(yaml_of(text))
            told, _ = peak_of([bitlaw, "train", file, "--explain"])
            predicted = float(re.search(r"peak memory: about ([0-9.]+) MB", told).group(1))
            measured = peak_of([bitlaw, "train", file, "--out", folder])[1] / 1e6
            off = predicted / measured - 1
            worst = max(worst, abs(off))
            print(f"| {name} | {predicted:.1f} MB | {measured:.1f} MB | {100 * off:+.1f} % |", flush=True)
    sys.exit(worst > 0.05)


if __name__ == "__main__":
    main()
