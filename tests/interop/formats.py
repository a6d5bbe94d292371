"""Whether diffusers reads what `rpo export` writes, and this program the original layout, and both draw the same.

    python tests/interop/formats.py CHECKPOINTS PHOTOS WORK [--models sd15-tiny sd21-tiny sdxl-tiny] [--reward align-tiny]

As diffusers_draws.py, whose settings these are: a LoRA, one of the text encoders too, and the whole U-Net are trained for a few steps, exported in every format, loaded by
diffusers (`load_lora_weights`, `from_pretrained`), and a picture is drawn here and by `npm run parity`. The starting model is written
as one file in the original layout too, which diffusers (`from_single_file`) and this program read. The largest difference of a pixel
in [0, 1] may be 1e-3, and training must have moved the picture by more.
"""
import pathlib, shutil, subprocess, sys
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

import diffusers_draws as base

sys.path.insert(0, str(base.ROOT / "tests/golden/formats"))
import original


def export(run, kind, output, dtype="f32"):
    subprocess.run(["node", base.ROOT / "dist/cli/main.js", "export", run, "--format", kind, "--output", output, "--dtype", dtype], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return output


def main(a):
    checkpoints, work = pathlib.Path(a.checkpoints).resolve(), pathlib.Path(a.work).resolve()
    cases = []

    def case(name, image, checkpoint, moved, adapter=None):
        folder = work / "cases" / name
        base.write_case(folder, checkpoint, adapter, latents, image)
        cases.append((folder, moved))

    for name in a.models:
        model = checkpoints / name
        pipe = base.open_pipe(model)
        latents = base.first_latents(pipe)
        before = base.draw(pipe, latents)
        moved = lambda image: (image - before).abs().max().item()

        family = {"sd15": "sd1", "sd21": "sd2", "sdxl": "sdxl"}[name.split("-")[0]]
        texts = [pipe.text_encoder] + ([pipe.text_encoder_2] if family == "sdxl" else [])
        single = work / f"{name}.safetensors"
        tensors, _ = original.checkpoint(family, pipe.unet, pipe.vae, texts)
        shutil.copytree(model, work / name, ignore=lambda _, files: [file for file in files if file.endswith(".safetensors")])
        save_file(tensors, single)
        if family != "sdxl":  # two tiny encoders of one width confuse diffusers, which tells them by their widths
            theirs = base.prepared(StableDiffusionPipeline.from_single_file(str(single), config=str(model), safety_checker=None))
            assert moved(base.draw(theirs, latents)) < 1e-5
        case(f"{name} one file", before, single, None)

        for adapter in ("text", "lora"):
            run = work / "runs" / f"{name}-{adapter}"
            trained = base.train(model, checkpoints / a.reward, a.photos, run, adapter)
            for kind, file in (("kohya", "kohya.safetensors"), ("peft", "peft")):
                pipe = base.open_pipe(model)
                pipe.load_lora_weights(export(run / "checkpoints/000006", kind, work / f"{name}-{adapter}-{file}"))
                image = base.draw(pipe, latents)
                case(f"{name} {adapter} {kind}", image, model, moved(image), trained)
            whole = export(run / "checkpoints/000006", "diffusers", work / f"{name}-{adapter}-merged")
            image = base.draw(base.open_pipe(whole), latents)
            case(f"{name} {adapter} merged f32", image, model, moved(image), trained)
        half = export(run / "checkpoints/000006", "diffusers", work / f"{name}-merged-f16", "f16")
        assert base.open_pipe(half, torch_dtype=torch.float16).text_encoder.dtype == torch.float16
        image = base.draw(base.open_pipe(half, torch_dtype=torch.float32), latents)
        case(f"{name} merged f16", image, half, moved(image))

        run = work / "runs" / f"{name}-full"
        trained = base.train(model, checkpoints / a.reward, a.photos, run, "full")
        image = base.draw(base.open_pipe(export(run / "checkpoints/000006", "diffusers", work / f"{name}-full")), latents)
        case(f"{name} whole U-Net f32", image, model, moved(image), trained)

    return base.compare(work, cases)


if __name__ == "__main__":
    sys.exit(main(base.arguments(__doc__)))
