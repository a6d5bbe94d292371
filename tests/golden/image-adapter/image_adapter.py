"""DisenBooth's image adapter, which ../methods trains too."""
import torch


class ImageAdapter(torch.nn.Module):
    """`Image_adapter` of the authors' disen_net.py, with its names."""
    def __init__(self, width):
        super().__init__()
        self.adapter = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, width))
        self.mask = torch.nn.Parameter(torch.zeros(width))

    def forward(self, features):
        gated = torch.sigmoid(self.mask) * features
        return self.adapter(gated) + gated
