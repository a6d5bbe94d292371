"""DisenBooth's image adapter as PyTorch saves it, with features and what it makes of them: python make.py"""
import os
import sys
import torch
from image_adapter import ImageAdapter

here = os.path.dirname(os.path.abspath(__file__))
WIDTH = 6

module = ImageAdapter(WIDTH)
if len(sys.argv) > 1:  # a file of ours: whether it loads
    print(module.load_state_dict(torch.load(sys.argv[1])))
else:
    gen = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape, generator=gen))
        features = torch.randn(2, WIDTH, generator=gen)
        made = module(features)
    torch.save(module.state_dict() | {"features": features, "made": made}, f"{here}/adapter.pt")
