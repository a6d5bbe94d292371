"""What PyTorch makes of the methods' losses: python make.py, with ../tiny's checkpoint. Steps of AdamW (lr 1e-3, betas .9 .999, eps 1e-8, weight decay
1e-2, gradient norm clipped to 1) on fixed draws; expected are the values of each step, the norm before clipping, some gradients of step 0 before
clipping and some parameters after the last step."""
import os
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
path = f"{here}/../tiny/checkpoints/sd15-tiny"
STEPS, BATCH, WEIGHT = 3, 2, {"dreambooth": 0.7, "preserve": 0.3}
SHOWN = ("conv_in.weight", "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", "conv_out.bias")


def case(method, lora):
    gen = torch.Generator().manual_seed(7)
    unet = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval()
    start = {n: p.detach().clone() for n, p in unet.named_parameters()}
    schedule = DDPMScheduler.from_pretrained(path, subfolder="scheduler")
    tensors = {}
    if lora:
        unet.requires_grad_(False)
        unet.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
        with torch.no_grad():  # a start away from zero, so that every factor has a gradient
            for n, p in unet.named_parameters():
                if "lora_" in n:
                    p.copy_(torch.randn(p.shape, generator=gen) * 0.1)
    trained = {n: p for n, p in unet.named_parameters() if p.requires_grad}
    name = lambda n: n.replace(".default.", ".")
    if lora:
        tensors |= {f"start.{name(n)}": p.detach().clone() for n, p in trained.items()}
    shown = trained if lora else {n: trained[n] for n in SHOWN}
    optimizer = torch.optim.AdamW(trained.values(), lr=1e-3, weight_decay=1e-2)
    side, features = unet.config.sample_size, unet.config.cross_attention_dim

    def displacement():
        if not lora:
            return sum(((p - start[n]) ** 2).sum() for n, p in trained.items())
        pairs = [(trained[n], trained[n.replace("lora_A", "lora_B")]) for n in trained if "lora_A" in n]
        return sum(((8 / 4) * b @ a).square().sum() for a, b in pairs)

    for s in range(STEPS):
        def error(kind):
            x, noise = (torch.randn(BATCH, unet.config.in_channels, side, side, generator=gen) for _ in range(2))
            t = torch.randint(0, 1000, (BATCH,), generator=gen)
            text = torch.randn(BATCH, 77, features, generator=gen)
            tensors.update({f"{s}.{kind}.x": x, f"{s}.{kind}.noise": noise, f"{s}.{kind}.t": t, f"{s}.{kind}.text": text})
            return F.mse_loss(unet(schedule.add_noise(x, noise, t), t, text).sample, noise)
        sim = error("ref")
        other = error("class") if method == "dreambooth" else displacement()
        loss = sim + WEIGHT[method] * other
        loss.backward()
        if s == 0:
            tensors.update({f"grad.{name(n)}": p.grad.clone() for n, p in shown.items()})
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        values = {"loss": loss, "sim": sim, "prior" if method == "dreambooth" else "distance": other, "gradNorm": norm}
        tensors.update({f"{s}.expected.{k}": torch.as_tensor(v).detach().reshape(1) for k, v in values.items()})
    tensors.update({f"param.{name(n)}": p.detach() for n, p in shown.items()})
    tensors = {k: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, f"{here}/{method}-{'lora' if lora else 'full'}.safetensors")


for method in WEIGHT:
    for lora in (True, False):
        case(method, lora)
