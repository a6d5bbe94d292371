"""Write the files beside this one: python make.py PEER, with PEER the folder of checkpoints.py.

names/          every name of the real models' weights in diffusers and in the original layout, and of their layers in kohya's
sd1, sd2, sdxl  tiny models with random weights: NAME.safetensors in the original layout, NAME/ their configuration and tokenizer
NAME-case       inputs, and what diffusers and transformers answer
*-lora-*        LoRA files by diffusers and as kohya's trainers write them, on those models
"""
import gzip, json, os, shutil, sys

here, peer = os.path.dirname(os.path.abspath(__file__)), os.path.abspath(sys.argv[1])
sys.path[:0] = [peer, here]
import diffusers, torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.loaders.lora_conversion_utils import _convert_non_diffusers_lora_to_diffusers, _maybe_map_sgm_blocks_to_diffusers
from diffusers.utils import convert_unet_state_dict_to_peft
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
import checkpoints, original

ORIGINAL = f"{here}/../../../models/original"
torch.set_num_threads(2)


def kohya_names(family, unet):
    """Every layer's name as sd-scripts writes it: by diffusers' names for 1.x and 2.x, the original's for XL. diffusers reads it so."""
    names = {}
    for name, w in unet.state_dict().items():
        if not name.endswith(".weight") or w.ndim < 2:
            continue
        layer = name.removesuffix(".weight")
        flat = original.unet_name(name, unet.config).removesuffix(".weight") if family == "sdxl" else layer
        names[layer] = "lora_unet_" + flat.replace(".", "_")
    for layer, kohya in names.items():
        state = {f"{kohya}.lora_down.weight": torch.zeros(1), f"{kohya}.lora_up.weight": torch.zeros(1), f"{kohya}.alpha": torch.zeros(())}
        try:
            if family == "sdxl":
                state = _maybe_map_sgm_blocks_to_diffusers(state, unet.config)
            converted = convert_unet_state_dict_to_peft(_convert_non_diffusers_lora_to_diffusers(state)[0])
            read = [key for key in converted if key.endswith("lora_A.weight")][0].removeprefix("unet.").removesuffix(".lora_A.weight")
        except Exception as error:
            read = repr(error)
        if read != layer:
            assert ".transformer_blocks." not in layer, (layer, read)  # what rpo trains
            print(f"{family}: diffusers reads {kohya} as {read}, not {layer}")
    return names


def real_names():
    os.makedirs(f"{here}/names", exist_ok=True)
    for family, folder in (("sd1", "sd1"), ("sd2", "sd2-v"), ("sdxl", "sdxl")):
        config = lambda part: json.load(open(f"{ORIGINAL}/{folder}/{part}/config.json"))
        with torch.device("meta"):
            unet, vae = UNet2DConditionModel.from_config(config("unet")), AutoencoderKL.from_config(config("vae"))
            texts = [CLIPTextModel(CLIPTextConfig(**config("text_encoder")))]
            if family == "sdxl":
                texts.append(CLIPTextModelWithProjection(CLIPTextConfig(**config("text_encoder_2"))))
        tensors, names = original.checkpoint(family, unet, vae, texts)
        original.check(family, tensors, unet, vae, texts)
        out = {"parts": names, "kohya": kohya_names(family, unet)}
        with gzip.GzipFile(f"{here}/names/{family}.json.gz", "wb", mtime=0) as file:
            file.write(json.dumps(out, separators=(",", ":")).encode())


def tiny(family):
    xl = family == "sdxl"
    kind = {"sd1": "sd15", "sd2": "sd21", "sdxl": "sdxl"}[family]
    levels = (8, 16, 16)
    down = ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D") if xl else ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
    checkpoints.UNET[kind, "tiny"] |= dict(block_out_channels=levels, norm_num_groups=4, cross_attention_dim=32 if xl else 16, layers_per_block=2 if family == "sd1" else 1,
                                           down_block_types=down, up_block_types=tuple(t.replace("Down", "Up") for t in reversed(down)))
    if kind != "sd15":
        checkpoints.UNET[kind, "tiny"]["attention_head_dim"] = (2, 4, 4)
    if xl:
        checkpoints.UNET[kind, "tiny"] |= dict(transformer_layers_per_block=(1, 1, 2), projection_class_embeddings_input_dim=6 * 8 + 32)
    checkpoints.VAE["tiny"] = dict(block_out_channels=(8, 16), layers_per_block=1)
    checkpoints.TEXT["tiny"] = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)
    diffusers.AutoencoderKL = lambda **k: AutoencoderKL(**(k | dict(norm_num_groups=4)))  # it has 32 groups fixed
    checkpoints.stable_diffusion(f"{here}/{family}", kind, "tiny", 7)
    diffusers.AutoencoderKL = AutoencoderKL
    pipe = (StableDiffusionXLPipeline if xl else StableDiffusionPipeline).from_pretrained(f"{here}/{family}")
    texts = [pipe.text_encoder, pipe.text_encoder_2] if xl else [pipe.text_encoder]
    for model in (pipe.unet, pipe.vae, *texts):
        model.half().float()  # the file holds halves
    tensors, _ = original.checkpoint(family, pipe.unet, pipe.vae, texts)
    original.check(family, tensors, pipe.unet, pipe.vae, texts)
    save_file({name: w.half() for name, w in tensors.items()}, f"{here}/{family}.safetensors", {"format": "pt"})
    if xl:
        for file in ("vocab.json", "merges.txt"):
            shutil.copy(f"{here}/{family}/tokenizer/{file}", f"{here}/{family}/tokenizer_2/{file}")
    for folder, _, files in os.walk(f"{here}/{family}"):
        for file in files:
            if file.endswith(".safetensors") or file == "tokenizer.json":
                os.remove(f"{folder}/{file}")
    return pipe, texts


def answers(pipe, texts, inputs):
    ids, xl = inputs["ids"].long(), len(texts) > 1
    with torch.no_grad():
        states = [text(ids, output_hidden_states=True) for text in texts]
        out = {f"text.{i}": (s.hidden_states[-2] if xl else s.last_hidden_state) for i, s in enumerate(states)}
        added = {}
        if xl:
            out["pooled"] = states[1].text_embeds
            added = {"added_cond_kwargs": {"text_embeds": inputs["pooled"], "time_ids": inputs["time_ids"]}}
        out["unet"] = pipe.unet(inputs["sample"], inputs["timestep"], inputs["text"], **added).sample
        out["decoded"] = pipe.vae.decode(inputs["latents"]).sample
        out["mean"] = pipe.vae.encode(inputs["pixels"]).latent_dist.mean
    return out


def inputs_of(pipe, texts):
    gen = torch.Generator().manual_seed(5)
    randn = lambda *shape: torch.randn(*shape, generator=gen)
    tokenizer = pipe.tokenizer
    ids = tokenizer("a dog on the beach", padding="max_length", max_length=77, return_tensors="pt").input_ids
    inputs = dict(ids=ids, sample=randn(1, 4, 8, 8), timestep=torch.tensor([321]), text=randn(1, 77, pipe.unet.config.cross_attention_dim), latents=randn(1, 4, 4, 4),
                  pixels=randn(1, 3, 8, 8))
    if len(texts) > 1:
        inputs |= dict(pooled=randn(1, 32), time_ids=torch.tensor([[64.0, 64, 0, 0, 64, 64]]))
    return inputs


def to_kohya(state, family, unet, alphas):
    """A PEFT state dict as kohya's trainers write it: halves, `alpha` for each layer. `alphas`: alpha by rank."""
    out = {}
    for name, w in state.items():
        part, layer = name.removesuffix(".weight").split(".", 1)
        layer, side = layer.rsplit(".lora_", 1)
        if part == "unet":
            flat = original.unet_name(layer + ".weight", unet.config).removesuffix(".weight") if family == "sdxl" else layer
            prefix = "lora_unet_"
        else:
            flat = "text_model." + layer.removeprefix("text_model.")
            prefix = "lora_te_" if family != "sdxl" else {"text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"}[part]
        key = prefix + flat.replace(".", "_")
        out[f"{key}.{'lora_down' if side == 'A' else 'lora_up'}.weight"] = w.half().contiguous()
        if side == "A":
            out[f"{key}.alpha"] = torch.tensor(alphas[w.shape[0]]).half()
    return out


def adapters(family, pipe, texts):
    """Adds LoRAs of two ranks to the models. Returns their state and metadata as diffusers' scripts save them."""
    gen = torch.Generator().manual_seed(9)
    attention, wide = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"], ["conv1", "conv", "proj_in", "time_emb_proj"]
    if family == "sdxl":  # diffusers does not read every other layer under the original's names
        wide = ["proj_in"]
    configs = {"unet": LoraConfig(r=2, lora_alpha=3, target_modules=attention + wide, rank_pattern={name: 3 for name in wide}, alpha_pattern={name: 1.5 for name in wide}),
               "text_encoder": LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj", "out_proj", "fc1"])}
    if family == "sdxl":
        configs["text_encoder_2"] = configs["text_encoder"]
    state, metadata = {}, {}
    for part, config in configs.items():
        model = getattr(pipe, part)
        model.add_adapter(config, "made")
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "lora_" in name:
                    p.copy_((torch.randn(p.shape, generator=gen) * 0.3).half())
        state[part] = get_peft_model_state_dict(model, adapter_name="made")
        metadata[part] = config.to_dict()
    return state, metadata


def with_loras(pipe, texts, inputs, files):
    """What the models answer with LoRA files at weights, loaded by load_lora_weights; afterwards they are as before."""
    for i, (file, _) in enumerate(files):
        pipe.load_lora_weights(file, adapter_name=f"a{i}")
    pipe.set_adapters([f"a{i}" for i in range(len(files))], [weight for _, weight in files])
    out = answers(pipe, texts, inputs)
    pipe.unload_lora_weights()
    return {name: out[name] for name in ("text.0", "text.1", "pooled", "unet") if name in out}


def main():
    for family in ("sd1", "sd2", "sdxl"):
        shutil.rmtree(f"{here}/{family}", ignore_errors=True)
    real_names()
    for family in ("sd1", "sd2", "sdxl"):
        pipe, texts = tiny(family)
        inputs = inputs_of(pipe, texts)
        out = answers(pipe, texts, inputs)
        cases = {f"plain.{name}": w for name, w in out.items()}
        if family != "sd2":
            state, metadata = adapters(family, pipe, texts)
            pipe.unload_lora_weights()
            flat = {f"{part}.{name}": w for part, weights in state.items() for name, w in weights.items()}
            kohya, plain = f"{here}/{family}-lora-kohya.safetensors", f"{here}/{family}-lora-diffusers.safetensors"
            save_file(to_kohya(flat, family, pipe.unet, {2: 3.0, 3: 1.5}), kohya, {"ss_network_module": "networks.lora"})
            cases |= {f"kohya.{name}": w for name, w in with_loras(pipe, texts, inputs, [(kohya, 0.7)]).items()}
            if family == "sd1":
                type(pipe).save_lora_weights(here, unet_lora_layers=state["unet"], text_encoder_lora_layers=state["text_encoder"], weight_name=os.path.basename(plain),
                                             unet_lora_adapter_metadata=metadata["unet"], text_encoder_lora_adapter_metadata=metadata["text_encoder"])
                cases |= {f"diffusers.{name}": w for name, w in with_loras(pipe, texts, inputs, [(plain, 0.7)]).items()}
                cases |= {f"both.{name}": w for name, w in with_loras(pipe, texts, inputs, [(plain, -0.4), (kohya, 0.7)]).items()}
        for name, w in cases.items():
            base = out.get(name.split(".", 1)[1])
            if not name.startswith("plain"):
                print(family, name, "moved by", (w - base).abs().max().item())
        save_file({f"in.{k}": v.contiguous() for k, v in inputs.items()} | {k: v.float().contiguous() for k, v in cases.items()}, f"{here}/{family}-case.safetensors")


main()
