"""Write the checkpoints and parity cases beside this file: python make.py PEER, with PEER the folder of checkpoints.py and cases.py."""
import os, shutil, sys

here, peer = os.path.dirname(os.path.abspath(__file__)), os.path.abspath(sys.argv[1])
sys.path.insert(0, peer)
import torch
import cases, checkpoints

checkpoints.UNET["sd15", "tiny"] |= dict(block_out_channels=(16, 32))
checkpoints.VAE["tiny"] = dict(block_out_channels=(32, 32), layers_per_block=1)
root, out = f"{here}/checkpoints", f"{here}/cases"
shutil.rmtree(root, ignore_errors=True)
shutil.rmtree(out, ignore_errors=True)
checkpoints.stable_diffusion(f"{root}/sd15-tiny", "sd15", "tiny", 0)
checkpoints.encoders(f"{root}/align-tiny", "align", "tiny", 0)

# half the size: diffusers reads them into float32 again, and so the cases below are of the rounded weights
from diffusers import AutoencoderKL, UNet2DConditionModel
for cls, part in ((UNet2DConditionModel, "unet"), (AutoencoderKL, "vae")):
    cls.from_pretrained(f"{root}/sd15-tiny", subfolder=part).half().save_pretrained(f"{root}/sd15-tiny/{part}")

gen = torch.Generator().manual_seed(1)
unet = UNet2DConditionModel.from_pretrained(f"{root}/sd15-tiny", subfolder="unet").eval()
x, t, c = cases.latents(unet, gen), torch.randint(0, 1000, (2,), generator=gen), torch.randn(2, 77, 32, generator=gen)
with torch.no_grad():
    cases.write(out, "unet-sd15", dict(kind="unet", checkpoint="sd15-tiny"), {"sample": x, "timestep": t, "text": c}, {"out": unet(x, t, c).sample})
cases.rpo_case(out, "sd15", root, gen, "modifier", True, 1.0)
cases.rpo_case(out, "sd15", root, gen, "prompt", False, 100.0, steps=2)
