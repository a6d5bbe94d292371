"""What PyTorch's autocast makes in float16 of the first steps of RPO in ../tiny/cases and ../sdxl/cases, on their draws: python make.py. The loss is
multiplied by 2^16, as torch.amp.GradScaler begins, and the gradients divided by it again. LoRA weights are float32."""
import json, os
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import load_file, save_file

here = os.path.dirname(os.path.abspath(__file__))
SCALE = 2.0**16
torch.set_num_threads(2)


def case(folder, checkpoints, name):
    path = f"{here}/../{folder}/cases/{name}"
    settings = json.load(open(f"{path}/case.json"))
    given = load_file(f"{path}/inputs.safetensors")
    checkpoint = f"{here}/../{checkpoints}/{settings['checkpoint']}"
    unet = UNet2DConditionModel.from_pretrained(checkpoint, subfolder="unet").eval().requires_grad_(False)
    frozen = UNet2DConditionModel.from_pretrained(checkpoint, subfolder="unet").eval().requires_grad_(False)
    schedule = DDPMScheduler.from_pretrained(checkpoint, subfolder="scheduler")
    lora = settings["lora"]
    unet.add_adapter(LoraConfig(r=lora["rank"], lora_alpha=lora["alpha"], target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    trained = {n: p for n, p in unet.named_parameters() if "lora_" in n}
    with torch.no_grad():
        for n, p in trained.items():
            p.copy_(given[f"param.{n}"])
    x = lambda key: given[f"0.{key}"]

    def error(net, side, text):
        added = {"text_embeds": x(f"{text}_pooled"), "time_ids": x("time_ids")} if "0.time_ids" in given else None
        noisy = schedule.add_noise(x(f"x_{side}"), x(f"noise_{side}"), x("t"))
        predicted = net(noisy, x("t"), x(text), added_cond_kwargs=added).sample
        assert predicted.dtype == torch.float16
        return F.mse_loss(predicted.float(), x(f"noise_{side}"), reduction="none").mean((1, 2, 3))

    ref = "modifier" if settings["condition"] == "modifier" else "prompt"
    with torch.autocast("cpu", dtype=torch.float16):
        sim = error(unet, "ref", "prompt")
        margin = (error(frozen, "ref", ref) - error(unet, "ref", ref)) - (error(frozen, "gen", "modifier") - error(unet, "gen", "modifier"))
        scaled, y = settings["beta"] * margin, x("y")
        pref = -(y * F.logsigmoid(scaled) + (1 - y) * F.logsigmoid(-scaled))
        loss = sim.mean() + pref.mean()
    (loss * SCALE).backward()
    expected = {"sim": sim.mean(), "pref": pref.mean(), "margin": margin}
    expected |= {f"grad.{n.replace('.default.', '.')}": p.grad / SCALE for n, p in trained.items()}
    save_file({k: v.detach().float().reshape(v.shape or (1,)).contiguous() for k, v in expected.items()}, f"{here}/{name}.safetensors")


case("tiny", "tiny/checkpoints", "rpo-sd15-lora-modifier")
case("sdxl", "parity/checkpoints", "rpo-sdxl-lora-modifier")
