"""What prodigyopt makes of gradients: python make.py, with `pip install torch prodigyopt` (1.1.2). Two groups of parameters, one of which begins at zero as a LoRA's B
does, on a least squares problem; gradients are clipped to a norm of 1 together. Of each step the gradients as they came, the rate, and d after it; then the weights."""
import json
import os
import torch
from prodigyopt import Prodigy

here = os.path.dirname(os.path.abspath(__file__))
STEPS = 24
# ours is what diffusers' scripts and kohya's users have; the package's own defaults are the first
CASES = {
    "package": {},
    "ours": {"use_bias_correction": True, "safeguard_warmup": True, "weight_decay": 0.01},
    "dCoef": {"use_bias_correction": True, "safeguard_warmup": True, "weight_decay": 0.01, "d_coef": 2.0},
    "growthRate": {"use_bias_correction": True, "safeguard_warmup": True, "weight_decay": 0.01, "d_coef": 2.0, "growth_rate": 1.1},
    "schedule": {"use_bias_correction": True, "safeguard_warmup": True, "weight_decay": 0.01},
    "scheduleUnguarded": {"use_bias_correction": True, "safeguard_warmup": False, "weight_decay": 0.01},
}


def short(x):
    return [float(f"{each:.9g}") for each in x.detach().flatten().tolist()]


def rate(name, step):
    """A warm-up whose first step's rate is 0, then constant."""
    return min(1.0, step / 8) if name.startswith("schedule") else 1.0


def case(name, options):
    gen = torch.Generator().manual_seed(5)
    a = torch.nn.Parameter(torch.randn(4, 6, generator=gen) * 0.3)
    b = torch.nn.Parameter(torch.zeros(5, 4))
    x, target = torch.randn(6, 30, generator=gen), torch.randn(5, 30, generator=gen)
    start = {"a": short(a), "b": short(b)}
    optimizer = Prodigy([{"params": [a]}, {"params": [b]}], lr=1.0, **options)
    steps = []
    for step in range(STEPS):
        loss = ((b @ a @ x - target) ** 2).sum() * 4
        optimizer.zero_grad()
        loss.backward()
        gradients = {"a": short(a.grad), "b": short(b.grad)}
        norm = torch.nn.utils.clip_grad_norm_([a, b], 1.0).item()
        for group in optimizer.param_groups:
            group["lr"] = rate(name, step)
        optimizer.step()
        d = optimizer.param_groups[0]["d"]
        steps.append({"rate": rate(name, step), "norm": norm, "d": d, **gradients})
    return {"start": start, "steps": steps, "end": {"a": short(a), "b": short(b)}}


with open(f"{here}/steps.json", "w") as file:
    json.dump({name: case(name, options) for name, options in CASES.items()}, file)
