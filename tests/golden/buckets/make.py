"""What sd-scripts makes of photos of many sizes: python make.py FOLDER, with a checkout of github.com/kohya-ss/sd-scripts (commit 48d368f) in FOLDER.
Its own BucketManager and make_bucket_resolutions are taken out of their files and run. kohya.json: for each resolution all buckets, and of photos
[width, height] the bucket and the size that the photo is resized to before it is cut.

sd.safetensors, sdxl.safetensors: what PyTorch makes of a step of RPO on a LoRA whose two batches hold photos of two buckets, with masks and negatives of a
third shape; with ../tiny's and ../parity's checkpoints. The photos' errors are means over their own latents, and each picture goes through the U-Net by itself
in its own shape; SDXL's photos with size conditions of their own."""
import ast
import json
import math
import os
import random
import sys
import types
from typing import Tuple
import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import save_file
from torch.nn.functional import logsigmoid

here = os.path.dirname(os.path.abspath(__file__))


def taken(file, name, scope):
    with open(f"{sys.argv[1]}/library/{file}", encoding="utf-8") as source:
        tree = ast.parse(source.read())
    wanted = [node for node in tree.body if getattr(node, "name", None) == name]
    exec(compile(ast.Module(wanted, []), file, "exec"), scope)
    return scope[name]


util = types.SimpleNamespace(make_bucket_resolutions=taken("model_util.py", "make_bucket_resolutions", {"math": math}))
BucketManager = taken("train_util.py", "BucketManager", dict(math=math, random=random, np=np, Tuple=Tuple, model_util=util))


def assigned():
    gen = random.Random(5)
    CAMERAS = [(4032, 3024), (3024, 4032), (6000, 4000), (4000, 6000), (1920, 1080), (1080, 1920), (2000, 2000), (640, 480), (1200, 1199), (1199, 1200),
               (4000, 1000), (1000, 4000), (5000, 500), (576, 448), (448, 576), (512, 512), (1024, 256), (960, 256), (704, 320)]
    photos = CAMERAS + [(gen.randint(200, 6000), gen.randint(200, 6000)) for _ in range(150)]
    out = []
    for resolution in (512, 640, 768, 1024):
        manager = BucketManager(False, (resolution, resolution), resolution // 2, resolution * 2, 64)
        manager.make_buckets()
        chosen = []
        for photo in photos:
            bucket, resized, _ = manager.select_bucket(*photo)
            chosen.append({"photo": photo, "bucket": bucket, "resized": resized})
        out.append({"resolution": resolution, "buckets": manager.predefined_resos, "photos": chosen})
    with open(f"{here}/kohya.json", "w") as file:
        json.dump(out, file)
        file.write("\n")


BATCH, SIDE, BETA = 2, 16, 3.0
SHAPES = [(6, 10), (10, 4)]


def step(name, checkpoint):
    g = torch.Generator().manual_seed(17)
    unet = UNet2DConditionModel.from_pretrained(f"{here}/../{checkpoint}", subfolder="unet").eval()
    schedule = DDPMScheduler.from_pretrained(f"{here}/../{checkpoint}", subfolder="scheduler")
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    with torch.no_grad():
        for n, p in unet.named_parameters():
            if "lora_" in n:
                p.copy_(torch.randn(p.shape, generator=g) * 0.1)
    trained = {n.replace(".default.", "."): p for n, p in unet.named_parameters() if p.requires_grad}
    tensors = {f"start.{n}": p.detach().clone() for n, p in trained.items()}
    xl = unet.config.addition_embed_type == "text_time"
    pooled = unet.config.projection_class_embeddings_input_dim - 6 * unet.config.addition_time_embed_dim if xl else 0

    def texts():
        return torch.randn(BATCH, 77, unet.config.cross_attention_dim, generator=g), torch.randn(BATCH, pooled, generator=g)

    def picture(h, w):
        return [torch.randn(BATCH, unet.config.in_channels, h, w, generator=g) for _ in range(2)]

    def error(x, noise, t, text, sizes, mask, start):
        (unet.disable_adapters if start else unet.enable_adapters)()
        added = {"text_embeds": text[1], "time_ids": sizes} if xl else None
        with torch.set_grad_enabled(not start):
            predicted = unet(schedule.add_noise(x, noise, t), t, text[0], added_cond_kwargs=added).sample
        return ((predicted - noise) ** 2 * mask).mean((1, 2, 3))

    for a, (h, w) in enumerate(SHAPES):
        t = torch.randint(0, 1000, (BATCH,), generator=g)
        (x, noise), (gx, gnoise), prompt, modifier = picture(h, w), picture(SIDE // 2, SIDE // 2), texts(), texts()
        mask, label = torch.rand(BATCH, 1, h, w, generator=g), torch.rand(BATCH, generator=g)
        own = torch.tensor([[40.0 + 8 * b, 30.0, b, 0.0, 2 * h, 2 * w] for b in range(BATCH)])
        square = torch.tensor([[SIDE, SIDE, 0, 0, SIDE, SIDE]] * BATCH, dtype=torch.float32)
        ref, gen = (x, noise, t, modifier, own, mask), (gx, gnoise, t, modifier, square, 1.0)
        sim = error(x, noise, t, prompt, own, mask, False).mean()
        margin = (error(*ref, True) - error(*ref, False)) - (error(*gen, True) - error(*gen, False))
        pref = -(label * logsigmoid(BETA * margin) + (1 - label) * logsigmoid(-BETA * margin)).mean()
        unet.enable_adapters()
        ((sim + pref) / len(SHAPES)).backward()
        given = {"x": x, "noise": noise, "gen.x": gx, "gen.noise": gnoise, "t": t, "mask": mask, "label": label, "prompt": prompt[0], "modifier": modifier[0]}
        if xl:
            given |= {"prompt.pooled": prompt[1], "modifier.pooled": modifier[1], "ref.sizes": own, "sizes": square}
        tensors.update({f"{a}.{k}": v for k, v in given.items()})
        tensors.update({f"{a}.expected.sim": sim.reshape(1), f"{a}.expected.pref": pref.reshape(1), f"{a}.expected.margin": margin})
    tensors.update({f"grad.{n}": p.grad for n, p in trained.items()})
    whole = lambda v: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous().clone()
    save_file({k: whole(v) for k, v in tensors.items()}, f"{here}/{name}.safetensors")


assigned()
step("sd", "tiny/checkpoints/sd15-tiny")
step("sdxl", "parity/checkpoints/sdxl-tiny")
