"""What PyTorch makes of a LoRA of U-Net and text encoders: python make.py, with the checkpoints of ../tiny and ../parity. As diffusers'
train_dreambooth_lora.py and train_dreambooth_lora_sdxl.py have it with --train_text_encoder: PEFT's LoRA on q_proj, k_proj, v_proj and out_proj of every
text encoder, with a rate of its own in one AdamW (betas .9 .999, eps 1e-8, weight decay 1e-2), all gradients clipped together to a norm of 1. The losses
are RPO's (Eq. 8 of arXiv 2407.12164, with its weight and a floor), whose frozen start reads the texts by the text encoders as they began, and the distance
of arXiv 2505.19519. Expected are the values of each step, the norm before clipping, the gradients of step 0 and the matrices after the last step.

python make.py mixed writes ../mixed/text-lora-NAME.safetensors instead: values and gradients of step 0 with the U-Net under autocast in float16 and the text
encoders in float32, the loss multiplied by 2^14 and the gradients divided by it again."""
import copy
import os
import sys
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

here = os.path.dirname(os.path.abspath(__file__))
CHECKPOINTS = {"sd15": f"{here}/../tiny/checkpoints/sd15-tiny", "sdxl": f"{here}/../parity/checkpoints/sdxl-tiny"}
STEPS, BATCH, RANK, ALPHA, RATE, TEXT_RATE = 3, 2, 4, 8, 1e-3, 5e-4
PLAIN = ["a photo of a [V] dog", "a photo of a [V] dog"]
MODIFIER = ["a [V] dog on the Moon", "a green [V] dog"]


def adapted(model, targets, gen):
    model.requires_grad_(False)
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=targets))
    own = {n.replace(".default.", "."): p for n, p in model.named_parameters() if "lora_" in n}
    with torch.no_grad():  # a start away from zero, so that every factor has a gradient
        for p in own.values():
            p.copy_(torch.randn(p.shape, generator=gen) * 0.1)
    return own


def case(name, mixed=False):
    xl, path = name == "sdxl", CHECKPOINTS[name]
    gen = torch.Generator().manual_seed(13)
    schedule = DDPMScheduler.from_pretrained(path, subfolder="scheduler")
    unet = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval()
    kinds = [("text_encoder", "tokenizer", CLIPTextModel), ("text_encoder_2", "tokenizer_2", CLIPTextModelWithProjection)][: 2 if xl else 1]
    encoders = [kind.from_pretrained(path, subfolder=folder).eval() for folder, _, kind in kinds]
    tokenizers = [CLIPTokenizer.from_pretrained(path, subfolder=folder) for _, folder, _ in kinds]
    start_unet, start_encoders = copy.deepcopy(unet).requires_grad_(False), [copy.deepcopy(e).requires_grad_(False) for e in encoders]
    of_unet = adapted(unet, ["to_q", "to_k", "to_v", "to_out.0"], gen)
    of_texts = {}
    for (folder, _, _), encoder in zip(kinds, encoders):
        own = adapted(encoder, ["q_proj", "k_proj", "v_proj", "out_proj"], gen)
        of_texts |= {f"{folder}.{n}": p for n, p in own.items()}
    trained = of_unet | of_texts
    tensors = {f"start.{n}": p.detach().clone() for n, p in trained.items()}
    optimizer = torch.optim.AdamW([{"params": of_unet.values(), "lr": RATE}, {"params": of_texts.values(), "lr": TEXT_RATE}], weight_decay=1e-2)
    side, scale = unet.config.sample_size, 2.0**14 if mixed else 1.0

    def encode(models, texts):
        states, pooled = [], None
        for model, tokenizer in zip(models, tokenizers):
            ids = tokenizer(texts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids
            out = model(ids, output_hidden_states=True)
            states.append(out.hidden_states[-2] if xl else out.last_hidden_state)
            pooled = out.text_embeds if hasattr(out, "text_embeds") else pooled
        return torch.cat(states, -1), pooled

    def error(model, picture, t, text):
        x, noise = picture
        states, pooled = text
        added = {"text_embeds": pooled, "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64]] * BATCH)} if xl else None
        with torch.autocast("cpu", dtype=torch.float16, enabled=mixed):
            predicted = model(schedule.add_noise(x, noise, t), t, states, added_cond_kwargs=added).sample
        assert predicted.dtype == (torch.float16 if mixed else torch.float32)
        return F.mse_loss(predicted.float(), noise, reduction="none").mean((1, 2, 3))

    def displacement():
        both = [(trained[n], trained[n.replace("lora_A", "lora_B")]) for n in trained if "lora_A" in n]
        return sum(((ALPHA / RANK) * b @ a).square().sum() for a, b in both)

    for kind, texts in (("plain", PLAIN), ("modifier", MODIFIER)):
        states, pooled = encode(start_encoders, texts)
        tensors |= {f"begun.{kind}.states": states} | ({f"begun.{kind}.pooled": pooled} if xl else {})
        states, pooled = encode(encoders, texts)
        tensors |= {f"texts.{kind}.states": states} | ({f"texts.{kind}.pooled": pooled} if xl else {})

    for s in range(STEPS):
        ref, gen_picture = ([torch.randn(BATCH, unet.config.in_channels, side, side, generator=gen) for _ in range(2)] for _ in range(2))
        t = torch.randint(0, 1000, (BATCH,), generator=gen)
        y = torch.rand(BATCH, generator=gen)
        tensors |= {f"{s}.ref.x": ref[0], f"{s}.ref.noise": ref[1], f"{s}.gen.x": gen_picture[0], f"{s}.gen.noise": gen_picture[1], f"{s}.t": t, f"{s}.label": y}
        plain, modifier = encode(encoders, PLAIN), encode(encoders, MODIFIER)
        with torch.no_grad():
            begun = encode(start_encoders, MODIFIER)
            s_ref, s_gen = error(start_unet, ref, t, begun), error(start_unet, gen_picture, t, begun)
        sim, e_ref, e_gen = error(unet, ref, t, plain).mean(), error(unet, ref, t, modifier), error(unet, gen_picture, t, modifier)
        margin = (s_ref - e_ref) - (s_gen - e_gen)
        pref = -(y * F.logsigmoid(3 * margin) + (1 - y) * F.logsigmoid(-3 * margin)).mean()
        floor = torch.clamp(e_ref - s_ref, min=0).mean()
        values = {"sim": sim, "pref": pref, "margin": margin, "floor": floor, "distance": displacement()}
        values["loss"] = sim + 0.4 * pref + 0.5 * floor + 0.3 * values["distance"]
        (values["loss"] * scale).backward()
        if mixed:
            values |= {f"grad.{n}": p.grad / scale for n, p in trained.items()}
            return save_file({k: v.detach().reshape(v.shape or (1,)).contiguous() for k, v in values.items()}, f"{here}/../mixed/text-lora-{name}.safetensors")
        if s == 0:
            tensors |= {f"grad.{n}": p.grad.clone() for n, p in trained.items()}
        values["gradNorm"] = torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tensors |= {f"{s}.expected.{k}": v.detach().reshape(-1) for k, v in values.items()}
    tensors |= {f"param.{n}": p.detach() for n, p in trained.items()}
    tensors = {k: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, f"{here}/{name}.safetensors")


mixed = "mixed" in sys.argv
for name in set(sys.argv[1:]) - {"mixed"} or CHECKPOINTS:
    case(name, mixed)
