"""diffusers' names to those of the original Stable Diffusion code, and whole checkpoints in that layout: the inverse of diffusers' own
conversion, which `check` runs on the result."""
import re
import torch
from diffusers.loaders import single_file_utils as sf

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3",
          "conv_shortcut": "skip_connection"}
OUTER = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
         "add_embedding.linear_2": "label_emb.0.2", "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}


def unet_name(name, config):
    n, kind = config["layers_per_block"], name.rsplit(".", 1)[1]
    for ours, theirs in OUTER.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    part = name.split(".")
    if part[0] == "mid_block":
        block, inner, rest = f"middle_block.{1 if part[1] == 'attentions' else 2 * int(part[2])}", part[1], part[3:]
    else:
        b, inner, i, rest = int(part[1]), part[2], int(part[3]), part[4:]
        down = part[0] == "down_blocks"
        if inner == "downsamplers":
            return f"input_blocks.{(b + 1) * (n + 1)}.0.op.{kind}"
        if inner == "upsamplers":
            return f"output_blocks.{(b + 1) * (n + 1) - 1}.{2 if config['up_block_types'][b].startswith('Cross') else 1}.conv.{kind}"
        at = b * (n + 1) + i + (1 if down else 0)
        block = f"{'input' if down else 'output'}_blocks.{at}.{1 if inner == 'attentions' else 0}"
    return ".".join([block, *rest] if inner == "attentions" else [block, RESNET[rest[0]], kind])


def vae_name(name, levels):
    name = re.sub(r"up_blocks\.(\d+)", lambda m: f"up.{levels - 1 - int(m[1])}", name)
    name = re.sub(r"mid_block\.resnets\.(\d+)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    for a, b in (("down_blocks", "down"), ("mid_block.attentions.0", "mid.attn_1"), (".resnets.", ".block."), ("downsamplers.0", "downsample"),
                 ("upsamplers.0", "upsample"), ("conv_shortcut", "nin_shortcut"), ("conv_norm_out", "norm_out"), ("group_norm", "norm"),
                 ("to_out.0", "proj_out"), (".to_q.", ".q."), (".to_k.", ".k."), (".to_v.", ".v.")):
        name = name.replace(a, b)
    return name


def open_clip(weights):
    """name -> (original name, which third of its rows or None), and the original's tensors"""
    names, tensors = {}, {}
    for name, w in weights.items():
        plain = name.removeprefix("text_model.")
        m = re.fullmatch(r"encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)", plain)
        if m:
            whole = f"transformer.resblocks.{m[1]}.attn.in_proj_{m[3]}"
            names[name] = (whole, "qkv".index(m[2]))
            if m[2] == "q":
                tensors[whole] = torch.cat([weights[name.replace("q_proj", f"{x}_proj")] for x in "qkv"])
            continue
        for a, b in (("encoder.layers.", "transformer.resblocks."), ("layer_norm", "ln_"), ("self_attn.out_proj", "attn.out_proj"), ("mlp.fc1", "mlp.c_fc"),
                     ("mlp.fc2", "mlp.c_proj"), ("final_ln_", "ln_final"), ("final_layer_norm", "ln_final"), ("embeddings.token_embedding", "token_embedding"),
                     ("embeddings.position_embedding.weight", "positional_embedding"), ("text_projection.weight", "text_projection")):
            plain = plain.replace(a, b)
        names[name] = (plain, None)
        tensors[plain] = w.T.contiguous() if plain == "text_projection" else w
    return names, tensors


def checkpoint(family, unet, vae, texts):
    """All tensors of a checkpoint in the original layout, and for each part the names by diffusers' names."""
    out, names = {}, {"unet": {}, "vae": {}}
    for name, w in unet.state_dict().items():
        names["unet"][name] = (unet_name(name, unet.config), None)
        out["model.diffusion_model." + names["unet"][name][0]] = w
    for name, w in vae.state_dict().items():
        new = vae_name(name, len(vae.config["block_out_channels"]))
        names["vae"][name] = (new, None)
        out["first_stage_model." + new] = w[:, :, None, None] if "attn_1" in new and w.ndim == 2 else w
    places = {"sd1": ["cond_stage_model.transformer."], "sd2": ["cond_stage_model.model."],
              "sdxl": ["conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."]}[family]
    for i, (text, prefix) in enumerate(zip(texts, places)):
        weights = text.state_dict()
        part = "text_encoder" + ("_2" if i else "")
        if prefix.endswith("transformer."):
            names[part] = {name: ("text_model." + name.removeprefix("text_model."), None) for name in weights}
            tensors = {names[part][name][0]: w for name, w in weights.items()}
        else:
            names[part], tensors = open_clip(weights)
        out |= {prefix + name: w for name, w in tensors.items()}
    return {name: w.contiguous() for name, w in out.items()}, names


def check(family, tensors, unet, vae, texts):
    """diffusers' conversion gives the models' own weights back."""
    def same(got, model):
        want = model.state_dict()
        assert got.keys() == want.keys(), sorted(got.keys() ^ want.keys())[:6]
        for name, w in want.items():
            assert got[name].shape == w.shape, (name, got[name].shape, w.shape)
            assert w.is_meta or torch.equal(got[name], w), name
    same(sf.convert_ldm_unet_checkpoint(dict(tensors), unet.config), unet)
    same(sf.convert_ldm_vae_checkpoint(dict(tensors), vae.config), vae)
    for text, prefix in zip(texts, {"sd1": [None], "sd2": ["cond_stage_model.model."], "sdxl": [None, "conditioner.embedders.1.model."]}[family]):
        got = sf.convert_ldm_clip_checkpoint(tensors) if prefix is None else sf.convert_open_clip_checkpoint(text, tensors, prefix)
        if not hasattr(text, "text_model"):
            got = {name.removeprefix("text_model."): w for name, w in got.items()}
        same(got, text)
