"""What fine-tuning a model of GPT-1's size needs: memory at its peak, and seconds a step, by random weights of the real shape.

Target: it fits in 6 GB at micro-batch 1 with gradient accumulation (116,534,784 parameters, context 512, vocabulary 40,478). The command is
run as a user runs it, in a process of its own whose peak of resident memory the operating system tells: with evaluation, a
snapshot of the weights and what --resume needs.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tables import show

from data.runs import Run

SYMBOLS = 40_478
BASE = """
import sys
import torch
from data.runs import create_run, write_snapshot
from data.tokens.tokenizers import CharTokenizer
from trainer.config import ModelConfig
from trainer.model import GPT
from dataclasses import asdict

symbols = "".join(chr(0x10000 + i) for i in range(int(sys.argv[1])))
config = ModelConfig(len(symbols), 512, 12, 12, 768, dropout=0.1, norm="post", bias="all")
model = GPT(config)
assert model.count_parameters() == 116_534_784
for p in model.parameters():
    torch.nn.init.normal_(p.data, std=0.02) if p.ndim == 2 else None
info = {"model": asdict(config), "tokenizer": CharTokenizer(symbols).to_json(), "parameters": model.count_parameters()}
tables = {"token_table": "wte.weight", "position_table": "wpe.weight"}
run = create_run("gpt1-size", {**info, "tensors": tables})
write_snapshot(run, 0, {name: p.detach().numpy() for name, p in model.named_parameters()})
"""


def peak_of(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its peak of resident memory in GB and the seconds of processor time it took."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
    return usage.ru_maxrss * 1024 / 1e9, usage.ru_utime + usage.ru_stime


def documents(path: Path, n_documents: int) -> Path:
    """Write made documents, about as long as jokes are in GPT-1's tokens, a line each."""
    draw = random.Random(1)
    lines = (
        "".join(chr(0x10000 + draw.randrange(SYMBOLS)) for _ in range(draw.randint(15, 35))) for _ in range(n_documents)
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--accumulate", type=int, default=4)
    parser.add_argument("--micro-batch", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GPTLAB_RUNS": folder}
        subprocess.run([sys.executable, "-c", BASE, str(SYMBOLS)], env=environment, check=True)
        for micro_batch in options.micro_batch:
            # Nineteen or so documents fill a row of 500 tokens; a tenth is held out.
            n_documents = options.steps * options.accumulate * micro_batch * 19 * 10 // 9
            text = documents(Path(folder) / "made.txt", n_documents)
            name = f"tuned-{micro_batch}"
            command = [
                sys.executable,
                "-m",
                "trainer.finetune",
                "--model",
                "gpt1-size",
                "--corpus",
                str(text),
                "--epochs",
                "1",
            ]
            command += ["--micro-batch", str(micro_batch), "--accumulate", str(options.accumulate), "--run", name]
            command += ["--eval-rows", "2", "--eval-every", "1000", "--snapshot-every", "1000", "--sample-tokens", "5"]
            peak, processor = peak_of(command, environment)
            steps = Run(Path(folder) / name).info["training"]["steps"]
            rows.append((f"micro-batch {micro_batch}", f"{steps} x {options.accumulate}", peak, processor))
    show(
        "Fine-tuning a model of GPT-1's size: 116,534,784 parameters, rows of 500 tokens (target: 6 GB)",
        ("", "steps x micro-batches", "peak, GB", "processor seconds, total"),
        rows,
    )


if __name__ == "__main__":
    main()
