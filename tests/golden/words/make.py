"""What PyTorch makes of the methods that train a word: python make.py, with the checkpoints of ../tiny and ../parity. As diffusers' textual_inversion.py
has it: new tokens in tokenizer and table, all else frozen, AdamW (lr 1e-3, betas .9 .999, eps 1e-8, weight decay 1e-2) without clipping, and after
every step the other rows of the table put back. Expected are the values of each step, the gradient of step 0 and the vectors after the last step."""
import os
import sys
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.training_utils import compute_snr
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

here = os.path.dirname(os.path.abspath(__file__))
CHECKPOINTS = {"sd15": f"{here}/../tiny/checkpoints/sd15-tiny", "sdxl": f"{here}/../parity/checkpoints/sdxl-tiny"}
STEPS, VECTORS, GAMMA = 3, 2, 0.5
TEXTS = ["a photo of a [V] dog", "the [V] and a rendition of the [V]"]
CLASS_TEXTS = ["a photo of a dog", "a photo of a dog"]
# several subjects in one training: each photo with its own prompt and word, and a class picture of either class
CONCEPTS, CONCEPT_TEXTS = ["<new1>", "<new2>"], ["photo of a <new1> dog", "very small photo of a <new2> teapot"]
CONCEPT_CLASS_TEXTS = ["photo of a teapot", "photo of a dog"]


def encoders_of(path, xl):
    kinds = [("text_encoder", "tokenizer", CLIPTextModel)]
    if xl:
        kinds.append(("text_encoder_2", "tokenizer_2", CLIPTextModelWithProjection))
    for folder, tokenizer, kind in kinds:
        yield kind.from_pretrained(path, subfolder=folder).eval(), CLIPTokenizer.from_pretrained(path, subfolder=tokenizer)


def weighted(errors, schedule, t, gamma):
    """The mean of the photos' errors by diffusers' --snr_gamma, which its scripts of DreamBooth have and those of words lack."""
    if gamma is None:
        return errors.mean()
    snr = compute_snr(schedule, t)
    return (errors * torch.minimum(snr, torch.full_like(snr, gamma)) / snr).mean()


def case(name, gamma=None):
    xl, path = name == "sdxl", CHECKPOINTS[name]
    gen = torch.Generator().manual_seed(11)
    unet = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval().requires_grad_(False)
    schedule = DDPMScheduler.from_pretrained(path, subfolder="scheduler")
    tensors, tables, models = {}, [], []
    for i, (encoder, tokenizer) in enumerate(encoders_of(path, xl)):
        words = ["[V]"] + [f"[V]_{n}" for n in range(1, VECTORS)]
        assert tokenizer.add_tokens(words) == VECTORS
        encoder.requires_grad_(False)
        eos = tokenizer.eos_token_id
        encoder.resize_token_embeddings(len(tokenizer))
        encoder.config.eos_token_id = eos
        getattr(encoder, "text_model", encoder).eos_token_id = eos
        table = encoder.get_input_embeddings().weight
        ids = tokenizer.convert_tokens_to_ids(words)
        start = torch.randn(VECTORS, table.shape[1], generator=gen) * 0.05
        with torch.no_grad():
            table[ids] = start
        table.requires_grad_(True)
        tensors[f"start.{i}"] = start
        tables.append((table, ids, table.detach().clone()))
        models.append((encoder, tokenizer, " ".join(words)))
    optimizer = torch.optim.AdamW([t for t, _, _ in tables], lr=1e-3, weight_decay=1e-2)
    side = unet.config.sample_size

    def encode():
        states, pooled = [], None
        for encoder, tokenizer, words in models:
            texts = [text.replace("[V]", words) for text in TEXTS]
            ids = tokenizer(texts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids
            out = encoder(ids, output_hidden_states=True)
            states.append(out.hidden_states[-2] if xl else out.last_hidden_state)
            pooled = out.text_embeds if hasattr(out, "text_embeds") else pooled
        return torch.cat(states, -1), pooled

    for s in range(STEPS):
        x, noise = (torch.randn(2, unet.config.in_channels, side, side, generator=gen) for _ in range(2))
        t = torch.randint(0, 1000, (2,), generator=gen)
        tensors |= {f"{s}.x": x, f"{s}.noise": noise, f"{s}.t": t}
        states, pooled = encode()
        added = None
        if xl:
            sizes = torch.tensor([[64.0, 64, 0, 0, 64, 64]] * 2)
            added = {"text_embeds": pooled, "time_ids": sizes}
        predicted = unet(schedule.add_noise(x, noise, t), t, states, added_cond_kwargs=added).sample
        target = schedule.get_velocity(x, noise, t) if schedule.config.prediction_type == "v_prediction" else noise
        loss = weighted(F.mse_loss(predicted, target, reduction="none").mean([1, 2, 3]), schedule, t, gamma)
        moved = sum(((table[ids] - tensors[f"start.{i}"]) ** 2).sum() for i, (table, ids, _) in enumerate(tables))
        loss.backward()
        if s == 0:
            tensors |= {"states": states.detach(), **({"pooled": pooled.detach()} if xl else {})}
            tensors |= {f"grad.{i}": table.grad[ids].clone() for i, (table, ids, _) in enumerate(tables)}
        tensors |= {f"{s}.expected.sim": loss.detach().reshape(1), f"{s}.expected.moved": moved.detach().reshape(1)}
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            for table, ids, before in tables:
                others = torch.ones(len(table), dtype=torch.bool)
                others[ids] = False
                table[others] = before[others]
    tensors |= {f"param.{i}": table.detach()[ids] for i, (table, ids, _) in enumerate(tables)}
    tensors = {k: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, f"{here}/inversion-{name}{'' if gamma is None else '-snr'}.safetensors")


def custom(gamma=None, words=["[V]"], prompts=TEXTS, class_prompts=CLASS_TEXTS, file="sd15"):
    """Custom Diffusion's step: the processor of diffusers, whose keys and values of the first token are detached, a masked loss of the photo and one of
    a picture of the class; the gradients of keys and values, and of the words, are each clipped to 1."""
    from diffusers.models.attention_processor import CustomDiffusionAttnProcessor
    gen, path = torch.Generator().manual_seed(13), CHECKPOINTS["sd15"]
    unet = UNet2DConditionModel.from_pretrained(path, subfolder="unet").eval().requires_grad_(False)
    schedule = DDPMScheduler.from_pretrained(path, subfolder="scheduler")
    weights, trained, processors = unet.state_dict(), {}, dict(unet.attn_processors)
    for name in processors:
        if "attn2" not in name:
            continue
        layer = name[: -len(".processor")]
        hidden, cross = weights[f"{layer}.to_k.weight"].shape
        processor = CustomDiffusionAttnProcessor(train_kv=True, train_q_out=False, hidden_size=hidden, cross_attention_dim=cross)
        own = {}
        for kind in ("k", "v"):
            own[f"to_{kind}_custom_diffusion.weight"] = weights[f"{layer}.to_{kind}.weight"]
            trained[f"{layer}.to_{kind}.weight"] = getattr(processor, f"to_{kind}_custom_diffusion").weight
        processor.load_state_dict(own)
        processors[name] = processor
    unet.set_attn_processor(processors)
    [(encoder, tokenizer)] = encoders_of(path, False)
    assert tokenizer.add_tokens(words) == len(words)
    encoder.requires_grad_(False)
    encoder.resize_token_embeddings(len(tokenizer))
    table, ids = encoder.get_input_embeddings().weight, tokenizer.convert_tokens_to_ids(words)
    start = torch.randn(len(words), table.shape[1], generator=gen) * 0.05
    with torch.no_grad():
        table[ids] = start
    before = table.detach().clone()
    table.requires_grad_(True)
    optimizer = torch.optim.AdamW([*trained.values(), table], lr=1e-3, weight_decay=1e-2)
    side, tensors = unet.config.sample_size, {"start.0": start}
    encode = lambda texts: encoder(tokenizer(texts, padding="max_length", max_length=77, return_tensors="pt").input_ids).last_hidden_state
    for s in range(STEPS):
        x, noise = (torch.randn(4, unet.config.in_channels, side, side, generator=gen) for _ in range(2))
        t = torch.randint(0, 1000, (4,), generator=gen)
        mask = (torch.rand(2, 1, side, side, generator=gen) > 0.4).float()
        tensors |= {f"{s}.x": x, f"{s}.noise": noise, f"{s}.t": t, f"{s}.mask": mask}
        predicted = unet(schedule.add_noise(x, noise, t), t, encode([*prompts, *class_prompts])).sample
        error, prior_error = F.mse_loss(predicted, noise, reduction="none").chunk(2)
        sim = weighted((error * mask).sum([1, 2, 3]) / mask.sum([1, 2, 3]), schedule, t[:2], gamma)
        prior = prior_error.mean()
        loss = sim + 0.7 * prior
        loss.backward()
        others = torch.ones(len(table), dtype=torch.bool)
        others[ids] = False
        table.grad[others] = 0
        shown = {n: p for n, p in trained.items() if n.startswith(("mid_block", "down_blocks.0"))}
        if s == 0:
            tensors |= {f"grad.{n}": p.grad.clone() for n, p in shown.items()} | {"grad.word": table.grad[ids].clone()}
        tensors |= {f"{s}.expected.{k}": v.detach().reshape(1) for k, v in {"loss": loss, "sim": sim, "prior": prior}.items()}
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        torch.nn.utils.clip_grad_norm_([table], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            table[others] = before[others]
    tensors |= {f"param.{n}": p.detach() for n, p in shown.items()} | {"param.word": table.detach()[ids]}
    tensors = {k: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, f"{here}/custom-{file}{'' if gamma is None else '-snr'}.safetensors")


for name in sys.argv[1:] or [*CHECKPOINTS, "sd15-snr", "custom", "custom-snr", "concepts"]:
    kind, gamma = name.removesuffix("-snr"), GAMMA if name.endswith("-snr") else None
    if kind == "concepts":
        custom(gamma, CONCEPTS, CONCEPT_TEXTS, CONCEPT_CLASS_TEXTS, "concepts")
    else:
        custom(gamma) if kind == "custom" else case(kind, gamma)
