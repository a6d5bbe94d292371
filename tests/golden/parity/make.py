"""Write parity cases of every kind but rpo, and the checkpoints that ../tiny lacks: python make.py PEER, with PEER the folder of checkpoints.py and cases.py."""
import os, shutil, sys, tempfile

here, peer = os.path.dirname(os.path.abspath(__file__)), os.path.abspath(sys.argv[1])
sys.path.insert(0, peer)
import cases, checkpoints

small = dict(block_out_channels=(8, 16), norm_num_groups=4)
for kind in ("sd21", "sdxl"):
    checkpoints.UNET[kind, "tiny"] |= small
checkpoints.VAE["tiny"] = dict(block_out_channels=(32, 32), layers_per_block=1)
root, out = f"{here}/checkpoints", f"{here}/cases"
for folder in (root, out):
    shutil.rmtree(folder, ignore_errors=True)
checkpoints.stable_diffusion(f"{root}/sdxl-tiny", "sdxl", "tiny", 3)
for kind in ("clip", "dino"):
    checkpoints.encoders(f"{root}/{kind}-tiny", kind, "tiny", 3)

# half the size: diffusers reads them into float32 again, and so the cases are of the rounded weights
from diffusers import AutoencoderKL, UNet2DConditionModel
for cls, part in ((UNet2DConditionModel, "unet"), (AutoencoderKL, "vae")):
    cls.from_pretrained(f"{root}/sdxl-tiny", subfolder=part).half().save_pretrained(f"{root}/sdxl-tiny/{part}")

with tempfile.TemporaryDirectory() as both:
    shutil.copytree(root, both, dirs_exist_ok=True)
    shutil.copytree(f"{here}/../tiny/checkpoints", both, dirs_exist_ok=True)
    checkpoints.stable_diffusion(f"{both}/sd21-tiny", "sd21", "tiny", 3)  # cases.main asks for it
    cases.rpo_case = lambda *_: None  # those of ../tiny do
    pictures = cases.pictures
    cases.pictures = lambda gen: [image.resize((round(image.width / 2), round(image.height / 2))) for image in pictures(gen)]
    cases.main(both, out, 5)
for name in os.listdir(out):
    if name.endswith("-sd21") or name == "unet-sd15":  # the latter is in ../tiny
        shutil.rmtree(f"{out}/{name}")
