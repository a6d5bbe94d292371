"""Write what transformers answers with the embedded judges (models/tiny/align, clip and dino).

    python make.py [MODELS]            # transformers as in peer/requirements.txt

For every judge that exists: NAME.safetensors with `images` [N, D], of the pictures *.png beside this file through the judge's own image
processor, and `texts` [M, D], of texts.json through its tokenizer (not dino); in float32, not of unit length. They belong to the very
weights: make them again when a judge was trained again.
"""
import glob, json, os, sys
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import AlignModel, AutoImageProcessor, AutoTokenizer, CLIPModel, ViTModel

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/../../../models/tiny"
images = [Image.open(path).convert("RGB") for path in sorted(glob.glob(f"{HERE}/*.png"))]
texts = json.load(open(f"{HERE}/texts.json"))


def tensor(features):
    """transformers 5 wraps features in an output with the hidden states."""
    return features if isinstance(features, torch.Tensor) else features.pooler_output


for name, kind in dict(align=AlignModel, clip=CLIPModel, dino=ViTModel).items():
    folder = f"{MODELS}/{name}"
    if not os.path.exists(f"{folder}/config.json"):
        continue
    model, loading = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not loading[what], (name, what, loading[what])
    model.eval()
    pixels = AutoImageProcessor.from_pretrained(folder)(images=images, return_tensors="pt").pixel_values
    with torch.no_grad():
        if name == "dino":
            answers = dict(images=model(pixels).last_hidden_state[:, 0])
        else:
            tokens = AutoTokenizer.from_pretrained(folder)(texts, padding="max_length", truncation=True, return_tensors="pt")
            answers = dict(images=tensor(model.get_image_features(pixels)), texts=tensor(model.get_text_features(**tokens)))
    save_file({key: value.contiguous() for key, value in answers.items()}, f"{HERE}/{name}.safetensors")
    print(name, {key: tuple(value.shape) for key, value in answers.items()}, [round(float(x), 3) for x in answers["images"][:, 0]])
