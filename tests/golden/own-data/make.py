"""What PyTorch and diffusers make of steps on people's own data: python make.py, with ../tiny's checkpoint. Steps of AdamW (as ../methods has it) on a LoRA:
each of ACCUMULATE batches of BATCH photos with masks (sd-scripts' masked loss: error times mask) and min-SNR weights (diffusers' compute_snr), their gradients
averaged, at the rate of diffusers' cosine schedule with warm-up. schedules.json: learning rates; snr.json: weights by timestep."""
import json
import os
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.optimization import get_scheduler
from diffusers.training_utils import compute_snr
from peft import LoraConfig
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
path = f"{here}/../tiny/checkpoints/sd15-tiny"
STEPS, BATCH, ACCUMULATE, WARMUP, GAMMA = 4, 2, 3, 1, 5.0


def weights_of(schedule, t, v):
    snr = compute_snr(schedule, t)
    least = torch.stack([snr, GAMMA * torch.ones_like(snr)], dim=1).min(dim=1)[0]
    return least / (snr + 1) if v else least / snr


def steps():
    gen = torch.Generator().manual_seed(11)
    unet = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval()
    schedule = DDPMScheduler.from_pretrained(path, subfolder="scheduler")
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    with torch.no_grad():
        for n, p in unet.named_parameters():
            if "lora_" in n:
                p.copy_(torch.randn(p.shape, generator=gen) * 0.1)
    trained = {n.replace(".default.", "."): p for n, p in unet.named_parameters() if p.requires_grad}
    tensors = {f"start.{n}": p.detach().clone() for n, p in trained.items()}
    optimizer = torch.optim.AdamW(trained.values(), lr=1e-3, weight_decay=1e-2)
    rates = get_scheduler("cosine", optimizer, num_warmup_steps=WARMUP, num_training_steps=STEPS)
    side, features = unet.config.sample_size, unet.config.cross_attention_dim
    for s in range(STEPS):
        sims = []
        for a in range(ACCUMULATE):
            x, noise = (torch.randn(BATCH, unet.config.in_channels, side, side, generator=gen) for _ in range(2))
            t = torch.randint(0, 1000, (BATCH,), generator=gen)
            text = torch.randn(BATCH, 77, features, generator=gen)
            mask = torch.rand(BATCH, 1, side, side, generator=gen)
            weight = weights_of(schedule, t, False)
            error = (unet(schedule.add_noise(x, noise, t), t, text).sample - noise) ** 2
            sim = ((error * mask).mean((1, 2, 3)) * weight).mean()
            (sim / ACCUMULATE).backward()
            sims.append(sim.detach())
            tensors.update({f"{s}.{a}.{k}": v for k, v in {"x": x, "noise": noise, "t": t, "text": text, "mask": mask}.items()})
        if s == 0:
            tensors.update({f"grad.{n}": p.grad.clone() for n, p in trained.items()})
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
        tensors[f"{s}.expected.sim"] = torch.stack(sims)
        tensors[f"{s}.expected.gradNorm"] = norm.reshape(1)
    tensors.update({f"param.{n}": p.detach() for n, p in trained.items()})
    whole = lambda v: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous().clone()
    save_file({k: whole(v) for k, v in tensors.items()}, f"{here}/steps.safetensors")


def schedules():
    out = []
    for name, warmup, total in (("constant", 0, 5), ("constant", 3, 6), ("cosine", 0, 7), ("cosine", 4, 12)):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        rates = get_scheduler("constant_with_warmup" if name == "constant" else name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
        values = []
        for _ in range(total):
            values.append(rates.get_last_lr()[0])
            optimizer.step()
            rates.step()
        out.append({"schedule": name, "warmup": warmup, "steps": total, "rates": values})
    with open(f"{here}/schedules.json", "w") as file:
        json.dump(out, file, indent=1)


def snr():
    t = torch.tensor([0, 1, 50, 300, 500, 750, 999])
    out = {"timesteps": t.tolist()}
    for kind in ("epsilon", "v_prediction"):
        schedule = DDPMScheduler.from_pretrained(path, subfolder="scheduler", prediction_type=kind)
        out[kind] = weights_of(schedule, t, kind == "v_prediction").tolist()
    with open(f"{here}/snr.json", "w") as file:
        json.dump(out, file, indent=1)


steps()
schedules()
snr()
