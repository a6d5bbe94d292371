"""The tiny models of ../formats as diffusers and transformers have them."""
import json, os, sys

formats = f"{os.path.dirname(os.path.abspath(__file__))}/../formats"
sys.path[:0] = [formats]
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
import original


def models(family):
    """The U-Net and the text encoders of ../formats, from their file in the original layout."""
    config = lambda part: json.load(open(f"{formats}/{family}/{part}/config.json"))
    unet, vae = UNet2DConditionModel.from_config(config("unet")), AutoencoderKL.from_config(config("vae"))
    texts = [CLIPTextModel(CLIPTextConfig(**config("text_encoder")))]
    if family == "sdxl":
        texts.append(CLIPTextModelWithProjection(CLIPTextConfig(**config("text_encoder_2"))))
    _, names = original.checkpoint(family, unet, vae, texts)
    tensors = {name: w.float() for name, w in load_file(f"{formats}/{family}.safetensors").items()}
    places = {"sd1": ["cond_stage_model.transformer."], "sd2": ["cond_stage_model.model."],
              "sdxl": ["conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."]}[family]
    for part, module, prefix in [("unet", unet, "model.diffusion_model."), *zip(["text_encoder", "text_encoder_2"], texts, places)]:
        state = {}
        for name, (place, third) in names[part].items():
            w = tensors[prefix + place]
            if third is not None:
                w = w.chunk(3)[third]
            state[name] = (w.T if place == "text_projection" else w).reshape(module.state_dict()[name].shape)
        missing = module.load_state_dict(state, strict=False).missing_keys
        assert all("position_ids" in name for name in missing), missing
    return unet.eval(), [text.eval() for text in texts]
