"""Write RPO's steps on SDXL, which reads pooled texts and sizes beside the prompts: python make.py PEER, with PEER the folder of cases.py.

The checkpoint is ../parity/checkpoints/sdxl-tiny.
"""
import os, shutil, sys

here, peer = os.path.dirname(os.path.abspath(__file__)), os.path.abspath(sys.argv[1])
sys.path.insert(0, peer)
import torch
import torch.nn.functional as F
import cases
from diffusers import DDPMScheduler, UNet2DConditionModel

root, out = f"{here}/../parity/checkpoints", f"{here}/cases"
shutil.rmtree(out, ignore_errors=True)
path = f"{root}/sdxl-tiny"
gen = torch.Generator().manual_seed(7)


def case(condition, lora, beta, steps, batch=2, lr=1e-3):
    unet = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval()
    frozen = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval().requires_grad_(False)
    schedule = DDPMScheduler.from_pretrained(path, subfolder="scheduler")
    inputs, expected = {}, {}
    if lora:
        from peft import LoraConfig
        unet.requires_grad_(False)
        unet.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
        with torch.no_grad():
            for n, p in unet.named_parameters():
                if "lora_" in n:
                    p.copy_(torch.randn(p.shape, generator=gen) * 0.1)
    trained = {n: p for n, p in unet.named_parameters() if p.requires_grad}
    if lora:
        inputs |= {f"param.{n}": p.clone() for n, p in trained.items()}
    opt = torch.optim.AdamW(trained.values(), lr=lr, weight_decay=1e-2)
    config = unet.config
    pooled_width = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    for s in range(steps):
        x_ref, x_gen, n_ref, n_gen = (cases.latents(unet, gen, batch) for _ in range(4))
        t = torch.randint(0, 1000, (batch,), generator=gen)
        prompt, modifier = torch.randn(2, batch, 77, config.cross_attention_dim, generator=gen)
        prompt_pooled, modifier_pooled = torch.randn(2, batch, pooled_width, generator=gen)
        sizes = torch.randint(32, 1024, (batch, 6), generator=gen).float()
        y = torch.randint(0, 2, (batch,), generator=gen).float()
        inputs |= {f"{s}.x_ref": x_ref, f"{s}.x_gen": x_gen, f"{s}.noise_ref": n_ref, f"{s}.noise_gen": n_gen, f"{s}.t": t, f"{s}.y": y,
                   f"{s}.prompt": prompt, f"{s}.modifier": modifier, f"{s}.prompt_pooled": prompt_pooled, f"{s}.modifier_pooled": modifier_pooled,
                   f"{s}.time_ids": sizes}

        def error(net, x, n, text, pooled):
            added = {"text_embeds": pooled, "time_ids": sizes}
            predicted = net(schedule.add_noise(x, n, t), t, text, added_cond_kwargs=added).sample
            return F.mse_loss(predicted, n, reduction="none").mean((1, 2, 3))

        c_mod = (modifier, modifier_pooled)
        c_ref = c_mod if condition == "modifier" else (prompt, prompt_pooled)
        sim = error(unet, x_ref, n_ref, prompt, prompt_pooled)
        margin = (error(frozen, x_ref, n_ref, *c_ref) - error(unet, x_ref, n_ref, *c_ref)) - (error(frozen, x_gen, n_gen, *c_mod) - error(unet, x_gen, n_gen, *c_mod))
        pref = -(y * F.logsigmoid(beta * margin) + (1 - y) * F.logsigmoid(-beta * margin))
        (sim.mean() + pref.mean()).backward()
        if s == 0:
            expected |= {f"grad.{n}": p.grad.clone() for n, p in trained.items()}
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        opt.step()
        opt.zero_grad()
        expected |= {f"{s}.sim": sim.mean().reshape(1), f"{s}.pref": pref.mean().reshape(1), f"{s}.margin": margin, f"{s}.grad_norm": norm.reshape(1)}
    expected |= {f"param.{n}": p for n, p in trained.items()}
    assert schedule.config.prediction_type == "epsilon"
    settings = dict(kind="rpo", checkpoint="sdxl-tiny", condition=condition, lora=dict(rank=4, alpha=8) if lora else None, beta=beta, steps=steps, lr=lr)
    cases.write(out, f"rpo-sdxl-{'lora' if lora else 'full'}-{condition}", settings, inputs, expected)


case("modifier", True, 10.0, 3)
case("prompt", False, 1.0, 2)
