"""Write the files beside this one: python make.py. Wants torch, diffusers, transformers, peft and lycoris-lora (4.1.3).

LoRA files by LyCORIS' and PEFT's own code, on the tiny models of ../formats, and what those models answer with them, computed by the
same code: NAME.safetensors or NAME/ (PEFT's folders), FAMILY-answers.safetensors.
"""
import os, shutil, sys

here = os.path.dirname(os.path.abspath(__file__))
formats = f"{here}/../formats"
sys.path[:0] = [formats]
import torch
from diffusers.utils.state_dict_utils import convert_all_state_dict_to_peft, convert_state_dict_to_kohya
from lycoris import LycorisNetwork, create_lycoris
from lycoris.kohya import PRESET, create_network
from peft import LoHaConfig, LoKrConfig, LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from models import models

torch.set_num_threads(2)
PRESET["here"] = {"enable_conv": True, "unet_target_module": ["Transformer2DModel", "ResnetBlock2D", "Downsample2D", "Upsample2D"], "unet_target_name": [],
                  "text_encoder_target_module": ["CLIPAttention", "CLIPMLP"], "text_encoder_target_name": []}
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]


def answers(unet, texts, inputs):
    xl = len(texts) > 1
    with torch.no_grad():
        states = [text(inputs["in.ids"].long(), output_hidden_states=True) for text in texts]
        out = {f"text.{i}": (s.hidden_states[-2] if xl else s.last_hidden_state) for i, s in enumerate(states)}
        added = {}
        if xl:
            out["pooled"] = states[1].text_embeds
            added = {"added_cond_kwargs": {"text_embeds": inputs["in.pooled"], "time_ids": inputs["in.time_ids"]}}
        out["unet"] = unet(inputs["in.sample"], inputs["in.timestep"], inputs["in.text"], **added).sample
    return out


def randomise(parameters, seed):
    """Numbers that a file of halves holds, for all that trains; magnitudes near what they are."""
    gen = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in parameters:
            noise = torch.randn(p.shape, generator=gen)
            p.copy_(torch.tensor(0.5) if name.endswith(".scalar") else (p * (1 + 0.2 * noise) if "dora" in name or "magnitude" in name else 0.3 * noise).half().float())


def by_lycoris(family, name, seed, network_dim=2, alpha=1.0, preset="here", **kwargs):
    """A file by LyCORIS' network for kohya's trainers."""
    unet, texts = models(family)
    network = create_network(1.0, network_dim, alpha, None, texts if family == "sdxl" else texts[0], unet, preset=preset, **kwargs)
    network.apply_to(texts if family == "sdxl" else texts[0], unet, True, True)
    randomise(network.named_parameters(), seed)
    network.save_weights(f"{here}/{name}.safetensors", torch.float16, {"ss_network_module": "lycoris.kohya"})
    return unet, texts


def by_wrapper(family, name, seed, **kwargs):
    """A file by LyCORIS' own wrapper, as SimpleTuner writes it."""
    unet, texts = models(family)
    LycorisNetwork.apply_preset({"target_module": ["Transformer2DModel"]})
    network = create_lycoris(unet, 1.0, **kwargs)
    network.apply_to()
    randomise(network.named_parameters(), seed)
    network.save_weights(f"{here}/{name}.safetensors", torch.float16, {})
    return unet, texts


def by_peft(family, name, seed, config, text=None):
    """A folder by PEFT, of the U-Net or of a text encoder."""
    unet, texts = models(family)
    model = get_peft_model(unet if text is None else texts[text], config)
    randomise([(n, p) for n, p in model.named_parameters() if p.requires_grad], seed)
    shutil.rmtree(f"{here}/{name}", ignore_errors=True)
    model.save_pretrained(f"{here}/{name}")
    os.remove(f"{here}/{name}/README.md")
    path = f"{here}/{name}/adapter_model.safetensors"
    save_file({k: w.half() for k, w in load_file(path).items()}, path, {"format": "pt"})  # the same numbers
    return unet, texts


def by_webui(name, seed):
    """A file of diffusers' advanced DreamBooth script, which calls its names kohya's."""
    unet, texts = models("sd1")
    state = {}
    for part, model, targets in (("unet", unet, ATTENTION), ("text_encoder", texts[0], ["q_proj", "k_proj", "v_proj", "out_proj"])):
        config = LoraConfig(r=2, lora_alpha=2, target_modules=targets)
        model.add_adapter(config, "default") if part == "unet" else get_peft_model(model, config)
        randomise([(n, p) for n, p in model.named_parameters() if "lora_" in n], seed)
        kept = get_peft_model_state_dict(model)
        # as the script had them before it called the converters
        renamed = {k.removeprefix("base_model.model."): w for k, w in kept.items()}
        if part == "unet":
            renamed = {k.replace(".lora_A", "_lora.down").replace(".lora_B", "_lora.up").replace("to_out.0_lora", "to_out_lora").replace(".to_", ".processor.to_"): w
                       for k, w in renamed.items()}
        state |= {f"{part}.{k}": w for k, w in renamed.items()}
    kohya = convert_state_dict_to_kohya(state)
    save_file({k: w.half().contiguous() for k, w in kohya.items()}, f"{here}/{name}.safetensors")
    return unet, texts


def main():
    cases = {
        "sd1": {
            "locon": lambda n, s: by_lycoris("sd1", n, s, algo="locon", use_tucker=True, conv_dim=3),
            "dora-rows": lambda n, s: by_lycoris("sd1", n, s, algo="locon", dora_wd=True),
            "dora-columns": lambda n, s: by_lycoris("sd1", n, s, algo="locon", dora_wd=True, wd_on_output=False, use_tucker=True),
            "loha": lambda n, s: by_lycoris("sd1", n, s, algo="loha", network_dim=4, alpha=3.0, rs_lora=True),
            "loha-tucker-dora": lambda n, s: by_lycoris("sd1", n, s, algo="loha", use_tucker=True, dora_wd=True, use_scalar=True),
            "lokr": lambda n, s: by_lycoris("sd1", n, s, algo="lokr", factor=2),
            "lokr-tucker": lambda n, s: by_lycoris("sd1", n, s, network_dim=1, alpha=0.5, algo="lokr", factor=4, decompose_both=True, use_tucker=True),
            "lokr-full-dora": lambda n, s: by_lycoris("sd1", n, s, algo="lokr", factor=4, full_matrix=True, dora_wd=True),
            "wrapper": lambda n, s: by_wrapper("sd1", n, s, linear_dim=2, linear_alpha=3, algo="lora"),
            "webui": by_webui,
            "peft-rslora": lambda n, s: by_peft("sd1", n, s, LoraConfig(r=4, lora_alpha=3, use_rslora=True, target_modules=ATTENTION + ["conv1"],
                                                                         alpha_pattern={"^down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q": 7, "attn2.to_(k|v)": 5, ".*conv1": 2},
                                                                         rank_pattern={"up_blocks.*to_out.0": 2})),
            "peft-dora": lambda n, s: by_peft("sd1", n, s, LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=ATTENTION + ["conv1", "proj_in"])),
            "peft-loha": lambda n, s: by_peft("sd1", n, s, LoHaConfig(r=2, alpha=3, use_effective_conv2d=True, target_modules=ATTENTION + ["conv1", "proj_in"])),
            "peft-lokr": lambda n, s: by_peft("sd1", n, s, LoKrConfig(r=2, alpha=3, decompose_both=True, decompose_factor=2, use_effective_conv2d=True,
                                                                       target_modules=ATTENTION + ["conv1", "proj_in"], rank_pattern={"attn2.to_q": 16})),
            "peft-text": lambda n, s: by_peft("sd1", n, s, LoraConfig(r=2, lora_alpha=3, target_modules=["q_proj", "fc1"]), 0),
        },
        "sd2": {
            "sd2-lokr": lambda n, s: by_lycoris("sd2", n, s, algo="lokr", factor=4),
            "sd2-dora": lambda n, s: by_peft("sd2", n, s, LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=ATTENTION + ["proj_in"])),
        },
        "sdxl": {
            "sdxl-loha": lambda n, s: by_lycoris("sdxl", n, s, algo="loha", preset="attn-mlp"),
            "sdxl-dora": lambda n, s: by_lycoris("sdxl", n, s, algo="lora", preset="attn-mlp", dora_wd=True),
        },
    }
    for family, by_name in cases.items():
        inputs = {name: w for name, w in load_file(f"{formats}/{family}-case.safetensors").items()}
        plain = answers(*models(family), inputs)
        for name, w in plain.items():
            assert (w - inputs[f"plain.{name}"]).abs().max() < 1e-5, name
        found = {}
        for i, (name, make) in enumerate(by_name.items()):
            for key, w in answers(*make(name, 100 + i), inputs).items():
                moved = (w - plain[key]).abs().max().item()
                print(f"{family} {name} {key} moved by {moved:.3g} of {w.abs().max().item():.3g}")
                if moved > 0:
                    found[f"{name}.{key}"] = w.contiguous()
        save_file(found, f"{here}/{family}-answers.safetensors")


main()
