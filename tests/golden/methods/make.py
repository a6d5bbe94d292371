"""What PyTorch makes of the methods' losses: python make.py [METHOD ...], with ../tiny's checkpoint. Steps of AdamW (lr 1e-3, betas .9 .999, eps 1e-8,
weight decay 1e-2, gradient norm clipped to 1, but for DisenBooth's image adapter) on fixed draws; expected are the values of each step, the norm before clipping, some gradients of step 0
before clipping and some parameters after the last step."""
import copy
import os
import sys
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{here}/../image-adapter")
from image_adapter import ImageAdapter

path = f"{here}/../tiny/checkpoints/sd15-tiny"
STEPS, BATCH = 3, 2
SHOWN = ("conv_in.weight", "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", "conv_out.bias")
BETA, WEIGHT, CLIP = 3.0, 0.6, 0.02  # of own pictures


def dreambooth(draw, error, start, displacement):
    sim, prior = error(draw("ref")).mean(), error(draw("class")).mean()
    return {"loss": sim + 0.7 * prior, "sim": sim, "prior": prior}


def preserve(draw, error, start, displacement):
    sim, distance = error(draw("ref")).mean(), displacement()
    return {"loss": sim + 0.3 * distance, "sim": sim, "distance": distance}


def rpo(draw, error, start, displacement):
    """Eq. 8 of arXiv 2407.12164, weighted, with a floor under the photo; soft labels."""
    ref = draw("ref")
    gen = draw("gen", t=ref["t"])
    photo, y = {**ref, "text": gen["text"]}, draw.numbers("label", torch.rand)
    sim, e_ref, e_gen = error(ref).mean(), error(photo), error(gen)
    margin = (start(photo) - e_ref) - (start(gen) - e_gen)
    pref = -(y * F.logsigmoid(3 * margin) + (1 - y) * F.logsigmoid(-3 * margin)).mean()
    floor = torch.clamp(e_ref - start(photo), min=0).mean()
    return {"loss": sim + 0.4 * pref + 0.5 * floor, "sim": sim, "pref": pref, "margin": margin, "floor": floor}


def pairs(names, curves):
    """Eq. 14 of arXiv 2311.12908 on a preferred and another picture of one prompt at one timestep, with the
    floor of arXiv 2402.13228; of the second picture of the batch nothing is learnt."""
    def losses(draw, error, start, displacement):
        ref, better = draw("ref"), draw(names[0])
        worse = draw(names[1], t=better["t"], text=better["text"])
        use = draw.numbers("use", lambda n, generator: torch.tensor([1.0, 0.0]))
        sim, e_w, e_l = error(ref).mean(), error(better), error(worse)
        margin = (start(better) - e_w) - (start(worse) - e_l)
        rise = torch.clamp(e_w - start(better), min=0)
        pref = ((-F.logsigmoid(BETA * margin) + 0.8 * rise) * use).mean()
        return {"loss": sim + WEIGHT * pref, "sim": sim, "pref": pref, "margin": margin, curves[0]: e_w, curves[1]: e_l}
    return losses


def kto(draw, error, start, displacement):
    """1 - v of arXiv 2404.04465 with v the sigmoid and a reference point of 0: one picture is liked, the other is not."""
    ref, own = draw("ref"), draw("own")
    liked = draw.numbers("sign", lambda n, generator: torch.tensor([1.0, -1.0]))
    use = draw.numbers("use", lambda n, generator: torch.ones(n))
    sim, e = error(ref).mean(), error(own)
    gain = start(own) - e
    utility = torch.where(liked > 0, torch.sigmoid(BETA * gain), torch.sigmoid(-BETA * gain))
    loss = (1 - utility).mean()
    return {"loss": sim + WEIGHT * loss, "sim": sim, "kto": loss, "gain": gain, "error": e}


def advantage(draw, error, start, displacement):
    """PPO's clipped objective with the ratio of arXiv 2507.21053."""
    ref, own = draw("ref"), draw("own")
    a = draw.numbers("advantage", lambda n, generator: torch.tensor([1.3, -0.7]))
    sim, e = error(ref).mean(), error(own)
    ratio = torch.exp(BETA * (start(own) - e))
    adv = -torch.minimum(ratio * a, torch.clamp(ratio, 1 - CLIP, 1 + CLIP) * a).mean()
    return {"loss": sim + WEIGHT * adv, "sim": sim, "adv": adv, "ratio": ratio, "error": e}


def disenbooth(draw, error, start, displacement):
    """`train_disenbooth.py`'s losses, with other weights; its `cal_cos` for each picture of a batch."""
    ref = draw("ref")
    features = draw.numbers("features", lambda n, generator: torch.randn(n, ref["text"].shape[-1], generator=generator))
    f = draw.beside(features).unsqueeze(1)
    sim, weak = error({**ref, "text": ref["text"] + f}).mean(), error(ref).mean()
    contrast = torch.nn.CosineSimilarity(dim=1, eps=1e-6)(ref["text"].mean(dim=1), f.squeeze(1)).mean()
    return {"loss": sim + 0.2 * weak + 0.3 * contrast, "sim": sim, "weak": weak, "contrast": contrast}


METHODS = {
    "advantage": advantage,
    "disenbooth": disenbooth,
    "dpo": pairs(("better", "worse"), ("better", "worse")),
    "dreambooth": dreambooth,
    "kto": kto,
    "preserve": preserve,
    "rpo": rpo,
    "sfo": pairs(("positive", "negative"), ("whole", "degraded")),
}


def case(method, lora):
    gen = torch.Generator().manual_seed(7)
    unet = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval()
    frozen = copy.deepcopy(unet)
    begun = {n: p.detach().clone() for n, p in unet.named_parameters()}
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
    beside = ImageAdapter(unet.config.cross_attention_dim) if method == "disenbooth" else None
    besides = {} if beside is None else {f"image_adapter.{n}": p for n, p in beside.named_parameters()}
    with torch.no_grad():  # a mask away from zero, and what PyTorch begins with would change with its version
        for p in besides.values():
            p.copy_(torch.randn(p.shape, generator=gen) * 0.2)
    tensors |= {f"start.{n}": p.detach().clone() for n, p in besides.items()}
    if lora:
        tensors |= {f"start.{name(n)}": p.detach().clone() for n, p in trained.items()}
    shown = (trained if lora else {n: trained[n] for n in SHOWN}) | besides
    optimizer = torch.optim.AdamW([*trained.values(), *besides.values()], lr=1e-3, weight_decay=1e-2)
    side, features = unet.config.sample_size, unet.config.cross_attention_dim

    def displacement():
        if not lora:
            return sum(((p - begun[n]) ** 2).sum() for n, p in trained.items())
        both = [(trained[n], trained[n.replace("lora_A", "lora_B")]) for n in trained if "lora_A" in n]
        return sum(((8 / 4) * b @ a).square().sum() for a, b in both)

    def errors_of(model):
        def error(draws):
            noisy = schedule.add_noise(draws["x"], draws["noise"], draws["t"])
            return F.mse_loss(model(noisy, draws["t"], draws["text"]).sample, draws["noise"], reduction="none").mean((1, 2, 3))
        return error

    for s in range(STEPS):
        def draw(kind, **shared):
            """Latents, noise, timesteps and texts, but for those that are another's; only what is new is saved."""
            x, noise = (torch.randn(BATCH, unet.config.in_channels, side, side, generator=gen) for _ in range(2))
            new = {"x": x, "noise": noise}
            if "t" not in shared:
                new["t"] = torch.randint(0, 1000, (BATCH,), generator=gen)
            if "text" not in shared:
                new["text"] = torch.randn(BATCH, 77, features, generator=gen)
            tensors.update({f"{s}.{kind}.{k}": v for k, v in new.items()})
            return {**new, **shared}

        def numbers(kind, of):
            tensors[f"{s}.numbers.{kind}"] = of(BATCH, generator=gen)
            return tensors[f"{s}.numbers.{kind}"]

        draw.numbers = numbers
        draw.beside = beside
        with_start = lambda draws: errors_of(frozen)(draws).detach()
        values = METHODS[method](draw, errors_of(unet), with_start, displacement)
        values["loss"].backward()
        if s == 0:
            tensors.update({f"grad.{name(n)}": p.grad.clone() for n, p in shown.items()})
        values["gradNorm"] = torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        if besides:  # theirs is not clipped
            values["gradNorm"] = torch.hypot(values["gradNorm"], torch.nn.utils.get_total_norm([p.grad for p in besides.values()]))
        optimizer.step()
        optimizer.zero_grad()
        tensors.update({f"{s}.expected.{k}": torch.as_tensor(v).detach().reshape(-1) for k, v in values.items()})
    tensors.update({f"param.{name(n)}": p.detach() for n, p in shown.items()})
    tensors = {k: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, f"{here}/{method}-{'lora' if lora else 'full'}.safetensors")


for method in sys.argv[1:] or METHODS:
    for lora in (True, False):
        case(method, lora)
