"""Write cases.json of this folder: what Pillow 13, torchvision 0.29 and transformers 5.23 make of noise pictures.

    python make.py

A noise picture of width w and height h has the bytes x[1] >> 24, x[2] >> 24, ... of x[n+1] = (1664525 x[n] + 1013904223) mod 2^32,
x[0] = 1000 w + h. Results are base64: bytes [h, w, 3], or little-endian float32 [3, h, w].
"""
import base64, json, os
import numpy as np
from PIL import Image
from torchvision import transforms
from transformers import CLIPImageProcessorPil, EfficientNetImageProcessorPil, ViTImageProcessorPil

HERE = os.path.dirname(os.path.abspath(__file__))
FILTERS = dict(lanczos=1, bilinear=2, bicubic=3)
text = lambda array: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def noise(w, h):
    x, out = 1000 * w + h, []
    for _ in range(w * h * 3):
        x = (1664525 * x + 1013904223) % 2**32
        out.append(x >> 24)
    return Image.fromarray(np.array(out, np.uint8).reshape(h, w, 3))


SIZES = [(17, 23, 9, 31), (31, 9, 17, 23), (24, 24, 24, 7), (24, 24, 7, 24), (40, 12, 13, 11), (12, 90, 11, 9), (30, 90, 6, 11), (5, 4, 16, 19),
         (1, 1, 6, 5), (1, 20, 3, 3), (60, 44, 8, 8), (7, 7, 7, 7), (50, 50, 1, 1)]
resized = [dict(width=w, height=h, to=[W, H], filter=f, data=text(np.asarray(noise(w, h).resize((W, H), n))))
           for w, h, W, H in SIZES for f, n in FILTERS.items()]

squares = []
for w, h, side in [(31, 22, 8), (22, 31, 8), (20, 20, 12), (9, 14, 16), (13, 10, 7), (16, 9, 7)]:
    for mode, steps in (("center", [transforms.Resize(side), transforms.CenterCrop(side)]), ("none", [transforms.Resize((side, side))])):
        out = transforms.Compose(steps)(noise(w, h))
        tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])(out)
        squares.append(dict(width=w, height=h, side=side, mode=mode, data=text(np.asarray(out)), tensor=text(tensor.numpy())))

CLASSES = dict(EfficientNet=EfficientNetImageProcessorPil, CLIP=CLIPImageProcessorPil, ViT=ViTImageProcessorPil)
hw = lambda h, w: dict(height=h, width=w)
align = dict(size=hw(12, 12), resample=2, do_center_crop=True, crop_size=hw(9, 9), rescale_factor=0.00784313725490196, rescale_offset=True,
             do_normalize=False, include_top=False, do_rescale=True, do_resize=True)
CONFIGS = [
    ("EfficientNet", align),
    ("EfficientNet", dict(align, include_top=True, do_normalize=True, image_mean=[0.1, 0.2, 0.3], image_std=[0.5, 0.6, 0.7])),
    ("EfficientNet", dict(size=8)),
    ("EfficientNet", dict(align, do_resize=False, crop_size=hw(20, 15))),
    ("CLIP", dict(size=8, crop_size=8, resample=3)),
    ("CLIP", dict(size=dict(shortest_edge=9), crop_size=hw(8, 12))),
    ("CLIP", dict(size=hw(7, 12), crop_size=[8, 8], do_convert_rgb=True)),
    ("CLIP", dict(size=6, crop_size=9, do_normalize=False)),
    ("CLIP", dict(do_resize=False, crop_size=11, do_rescale=False)),
    ("ViT", dict(size=8, resample=2, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225], do_normalize=True, do_resize=True)),
    ("ViT", dict(size=hw(9, 7), resample=1)),
    ("ViT", dict(size=[9, 7], resample=3, image_mean=0.4, image_std=0.3)),
]
processed = []
for name, config in CONFIGS:
    for w, h in [(17, 22), (25, 10)]:
        out = CLASSES[name](**config)(noise(w, h), return_tensors="np").pixel_values[0].astype(np.float32)
        processed.append(dict(width=w, height=h, kind=name, config=config, shape=out.shape, data=text(out)))

json.dump(dict(resized=resized, squares=squares, processed=processed), open(f"{HERE}/cases.json", "w"), indent=0)
