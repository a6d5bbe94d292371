"""Whether diffusers draws with what this program trained, and draws the same.

    python tests/interop/diffusers_draws.py CHECKPOINTS PHOTOS WORK [--models sd15-tiny sd21-tiny sdxl-tiny] [--reward align-tiny]

CHECKPOINTS holds diffusers folders (the models) and a transformers folder (the reward). For each model a LoRA, a LoRA of U-Net and text encoders, the whole U-Net, a
word, DisenBooth's LoRA, and keys and values with a word (Custom Diffusion), twice and merged, are trained for a few steps by `rpo train`. diffusers loads LoRAs by `pipe.load_lora_weights(folder)`,
the U-Net by `UNet2DConditionModel.from_pretrained(folder)`, words by `pipe.load_textual_inversion`, keys and values into its own processors, and
draws a picture; `npm run parity` draws it from the same latents and compares.
Pictures are in [0, 1]; the largest difference may be 1e-3. That training changed the picture is checked too.

Needs Python with torch, diffusers, transformers, peft. Only an oracle: nothing in the program or its tests needs Python.
"""
import argparse, json, pathlib, subprocess, sys
import torch
from diffusers import DiffusionPipeline, DPMSolverMultistepScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import CustomDiffusionAttnProcessor
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

ROOT = pathlib.Path(__file__).resolve().parents[2]
# in small letters: diffusers gives a word of several vectors the first alone where it has capitals
MERGED = "a photo of <new1> dog and <new2> cat on the beach"
PROMPT, NEGATIVE, STEPS, GUIDANCE, TOLERANCE = "a photo of [v] dog on the beach", "blurry", 8, 5.0, 1e-3


RATES = {"lora": "3e-2", "text": "3e-2", "full": "3e-4", "word": "3e-1", "custom": "3e-2", "disenbooth": "3e-2"}


def train(model, reward, photos, run, adapter, seed=0):
    """Few steps at a high rate: the picture must change."""
    settings = {"seed": seed, "model": model, "reward": reward, "images": photos, "class": "dog", "token": "[v]", "output": run, "lr": RATES[adapter],
                "steps": 6, "validate-every": 6, "validation-images": 1, "validation-steps": 2}
    if adapter == "word":
        settings |= {"method": "inversion", "vectors": 2}
    elif adapter == "custom":
        settings |= {"method": "custom", "class-pictures": 1}
    elif adapter == "disenbooth":
        settings |= {"method": "disenbooth", "image-encoder": clip_for(model, run.parent / f"{run.name}-clip"), "rank": 4, "lora-alpha": 12}
    else:
        settings |= {"adapter": "full" if adapter == "full" else "lora", "negatives": 1}
    if adapter in ("lora", "text"):
        settings |= {"rank": 4, "lora-alpha": 12, "targets": "attention+ff"}
    flags = [word for name, value in settings.items() for word in (f"--{name}", str(value))] + (["--train-text-encoder"] if adapter == "text" else [])
    subprocess.run(["node", ROOT / "dist/cli/main.js", "train", *flags, "--yes"], check=True, stderr=subprocess.DEVNULL)
    return run / "checkpoints/000006"


def clip_for(model, folder):
    """A CLIP of random weights that reads photos, as wide as the model's texts."""
    width = json.loads((model / "text_encoder/config.json").read_text())["hidden_size"]
    vision = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=8)
    text = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, vocab_size=64, max_position_embeddings=16)
    torch.manual_seed(2)
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=width)).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    return folder


def load_word(pipe, folder):
    """A word of several vectors becomes several tokens, which prompts with the word are turned into."""
    second = folder / "learned_embeds_2.safetensors"
    pipe.load_textual_inversion(str(folder / "learned_embeds.safetensors"), text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer)
    if second.exists():
        pipe.load_textual_inversion(str(second), text_encoder=pipe.text_encoder_2, tokenizer=pipe.tokenizer_2)


def load_keys_and_values(unet, folder):
    """Processors by hand: load_attn_procs wants entries for the attention among pixels too, and else leaves the U-Net as it was."""
    tensors, processors = load_file(folder / "pytorch_custom_diffusion_weights.safetensors"), dict(unet.attn_processors)
    for name in processors:
        own = {k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(f"{name}.")}
        if own:
            hidden, cross = own["to_k_custom_diffusion.weight"].shape
            processors[name] = CustomDiffusionAttnProcessor(train_kv=True, train_q_out=False, hidden_size=hidden, cross_attention_dim=cross)
            processors[name].load_state_dict(own)
    unet.set_attn_processor(processors)


def merge(model, folders, output):
    """Two trainings as one, by `rpo merge`."""
    subprocess.run(["node", ROOT / "dist/cli/main.js", "merge", *folders, "--classes", "dog,cat", "--model", model, "--output", output], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return output


def load_merged(pipe, folder):
    for file in sorted(folder.glob("word-*.safetensors")):
        place = "_2" if file.stem.endswith("_2") else ""
        pipe.load_textual_inversion(str(file), text_encoder=getattr(pipe, f"text_encoder{place}"), tokenizer=getattr(pipe, f"tokenizer{place}"))
    load_keys_and_values(pipe.unet, folder)


def draw(pipe, latents, prompt=PROMPT):
    size = dict(height=latents.shape[2] * pipe.vae_scale_factor, width=latents.shape[3] * pipe.vae_scale_factor)
    with torch.no_grad():
        return pipe(prompt, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=latents.clone(),
                    output_type="pt", **size).images[0]


def prepared(pipe):
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def open_pipe(model, torch_dtype=torch.float32, **parts):
    return prepared(DiffusionPipeline.from_pretrained(str(model), torch_dtype=torch_dtype, **parts))


def first_latents(pipe):
    config = pipe.unet.config
    return torch.randn(1, config.in_channels, *[config.sample_size] * 2, generator=torch.Generator().manual_seed(1))


def write_case(folder, checkpoint, adapter, latents, image, prompt=PROMPT):
    """What `npm run parity` is to draw, and what diffusers drew."""
    folder.mkdir(parents=True)
    settings = dict(kind="pipeline", checkpoint=str(checkpoint), prompt=prompt, negative=NEGATIVE, steps=STEPS, guidance=GUIDANCE, sampler="dpm")
    (folder / "case.json").write_text(json.dumps(settings | ({"adapter": str(adapter)} if adapter else {})))
    save_file({"latents": latents}, folder / "inputs.safetensors")
    save_file({"image": image.float().contiguous()}, folder / "expected.safetensors")


def compare(work, cases):
    """Draws the cases here and compares. cases: folders, and by how much training had moved each picture, None for the starting model's."""
    subprocess.run(["node", ROOT / "dist/tools/parity/main.js", work / "cases", "/"], stdout=subprocess.DEVNULL)
    failed = False
    for folder, moved in cases:
        ours, theirs = (load_file(folder / f"{side}.safetensors")["image"] for side in ("actual", "expected"))
        difference = (ours - theirs).abs().max().item()
        passed = difference <= TOLERANCE and (moved is None or moved > 10 * TOLERANCE)
        failed |= not passed
        print(f"{'ok  ' if passed else 'FAIL'} {folder.name:28} largest difference {difference:.1e}" + (f"; training moved the picture by {moved:.2f}" if moved else ""))
    return failed


def arguments(description):
    ap = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("checkpoints")
    ap.add_argument("photos")
    ap.add_argument("work", help="a folder that is not there yet")
    ap.add_argument("--models", nargs="+", default=["sd15-tiny", "sd21-tiny", "sdxl-tiny"])
    ap.add_argument("--reward", default="align-tiny")
    torch.set_num_threads(2)
    return ap.parse_args()


def main(a):
    checkpoints, work, cases = pathlib.Path(a.checkpoints).resolve(), pathlib.Path(a.work).resolve(), []
    for name in a.models:
        model = checkpoints / name
        base = open_pipe(model)
        latents = first_latents(base)
        before = draw(base, latents)
        for adapter in RATES:
            if adapter == "disenbooth" and (model / "text_encoder_2").exists():
                continue  # no form of it was published for XL
            folder = train(model, checkpoints / a.reward, a.photos, work / "runs" / f"{name}-{adapter}", adapter)
            if adapter in ("lora", "text", "disenbooth"):
                pipe = open_pipe(model)
                pipe.load_lora_weights(folder)
            elif adapter == "word":
                pipe = open_pipe(model)
                load_word(pipe, folder)
            elif adapter == "custom":
                pipe = open_pipe(model)
                load_word(pipe, folder)
                load_keys_and_values(pipe.unet, folder)
            else:
                pipe = open_pipe(model, unet=UNet2DConditionModel.from_pretrained(folder))
            image = draw(pipe, latents)
            case = work / "cases" / f"{name}-{adapter}"
            write_case(case, model, folder, latents, image)
            cases.append((case, (image - before).abs().max().item()))
        customs = [work / "runs" / f"{name}-custom/checkpoints/000006",
                   train(model, checkpoints / a.reward, a.photos, work / "runs" / f"{name}-other", "custom", seed=1)]
        merged, pipe, case = merge(model, customs, work / "runs" / f"{name}-merged"), open_pipe(model), work / "cases" / f"{name}-merged"
        load_merged(pipe, merged)
        image = draw(pipe, latents, MERGED)
        write_case(case, model, merged, latents, image, MERGED)
        cases.append((case, (image - draw(open_pipe(model), latents, MERGED)).abs().max().item()))
    return compare(work, cases)


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__)))
