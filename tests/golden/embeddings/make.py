"""Write the files beside this one: python make.py. Wants torch, diffusers and transformers.

Textual inversions for the tiny models of ../formats, as diffusers, A1111, the original code, kohya's trainers and OneTrainer save
them, and the states that diffusers gives prompts with them: FAMILY-states.safetensors, one [n, 77, D] for each file and encoder.
"""
import json, os, sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [f"{here}/../loras", f"{here}/../formats"]
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTokenizer

from models import models
from diffusers.loaders import TextualInversionLoaderMixin

formats = f"{here}/../formats"
PROMPTS = ["a photo of a <cat-toy> on the beach", "a dog", "<cat-toy>, and <cat-toy>.", "A mystyle dog", "asks mystyle"]


class Pipe(TextualInversionLoaderMixin):
    """As much of a pipeline as the loader asks for."""
    hf_device_map, components = None, {}

    def __init__(self, text_encoder, tokenizer):
        self.text_encoder, self.tokenizer = text_encoder, tokenizer


def states(family, files):
    """What diffusers makes of the prompts with vectors by word, for each text encoder."""
    _, texts = models(family)
    out = {}
    for i, text in enumerate(texts):
        tokenizer = CLIPTokenizer.from_pretrained(f"{formats}/{family}/tokenizer{'_2' if i else ''}")
        pipe = Pipe(text, tokenizer)
        for word, vectors in files.items():
            if vectors[i] is not None:
                pipe.load_textual_inversion({word: vectors[i]}, token=word)
        prompts = pipe.maybe_convert_prompt(PROMPTS, tokenizer)
        ids = tokenizer(prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        with torch.no_grad():
            answer = text(ids, output_hidden_states=True)
        out[f"text.{i}"] = answer.hidden_states[-2] if len(texts) > 1 else answer.last_hidden_state
        if i:
            out["pooled"] = answer.text_embeds
    return {name: w.contiguous() for name, w in out.items()}


def main():
    gen = torch.Generator().manual_seed(3)
    randn = lambda *shape: torch.randn(*shape, generator=gen)
    one, three, other = randn(16), randn(3, 16), randn(2, 16)
    at = lambda name: f"{here}/{name}"
    save_file({"<cat-toy>": one}, at("learned_embeds.safetensors"))
    # one row of a table, which is saved whole
    table = randn(50, 16)
    table[7] = one
    torch.save({"<cat-toy>": table[7].detach()}, at("learned_embeds.bin"))
    save_file({"<cat-toy>": three}, at("three.safetensors"))
    a1111 = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.nn.Parameter(other)}, "name": "mystyle", "step": 499, "sd_checkpoint": None,
             "sd_checkpoint_name": None}
    torch.save(a1111, at("a1111.pt"))
    torch.save({"string_to_token": {"*": torch.tensor(265)}, "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(other)})}, at("mystyle.pt"))
    save_file({"emb_params": other}, at("MyStyle.safetensors"))
    torch.save({"emb_params": other.bfloat16()}, at("mystyle-bf16.pt"))
    l, g = randn(2, 16), randn(2, 16)
    save_file({"clip_l": l, "clip_g": g}, at("mystyle-xl.safetensors"))
    save_file(states("sd1", {"<cat-toy>": [one]}), at("sd1-one.safetensors"))
    save_file(states("sd1", {"<cat-toy>": [three], "mystyle": [other]}), at("sd1-both.safetensors"))
    save_file(states("sdxl", {"mystyle": [l, g]}), at("sdxl-both.safetensors"))
    json.dump(PROMPTS, open(at("prompts.json"), "w"))


main()
