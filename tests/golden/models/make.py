"""Write the golden cases of the VAE and the encoders: random tiny checkpoints and what PyTorch answers on them.

    python make.py            # torch, diffusers and transformers as in peer/requirements.txt

Every folder holds config.json and the weights in F16 as diffusers or transformers save them (PyTorch answers in float32 with the
rounded weights), and case.safetensors:
    input.<name>     pixels, latents, ids, mask
    output.<name>    the answers
    weight.<name>    the loss is the sum over outputs of weight * output
    grad.<name>      the loss's gradient for some parameters, by the name in the checkpoint, and for the inputs that have one
"""
import glob, os
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from transformers import AlignConfig, AlignModel, CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, ViTConfig, ViTModel

HERE = os.path.dirname(os.path.abspath(__file__))


def randomise(module, gen):
    """Parameters that keep activations of order one, none of them zero."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            if p.ndim >= 2:
                p.copy_(torch.randn(p.shape, generator=gen) / p[0].numel() ** 0.5)
            elif name.endswith("weight"):
                p.copy_(1 + 0.1 * torch.randn(p.shape, generator=gen))
            else:
                p.copy_(0.05 * torch.randn(p.shape, generator=gen))
        for name, b in module.named_buffers():
            if name.endswith("running_mean"):
                b.copy_(0.1 * torch.randn(b.shape, generator=gen))
            elif name.endswith("running_var"):
                b.copy_(0.2 + 0.2 * torch.rand(b.shape, generator=gen))
    return module


def write(name, model, inputs, forward, grads, gen):
    """`forward(model, **inputs)` gives the outputs; `grads` maps a parameter's name in the checkpoint to the one in memory."""
    folder = f"{HERE}/{name}"
    model.half().save_pretrained(folder)
    for extra in glob.glob(f"{folder}/generation_config.json"):
        os.remove(extra)
    model = model.float().eval()
    inputs = {k: v.requires_grad_() if v.is_floating_point() and k != "mask" else v for k, v in inputs.items()}
    outputs = forward(model, **inputs)
    weights = {k: torch.randn(v.shape, generator=gen) for k, v in outputs.items()}
    sum((weights[k] * outputs[k]).sum() for k in outputs).backward()
    parameters = dict(model.named_parameters())
    case = {f"input.{k}": v for k, v in inputs.items()} | {f"output.{k}": v for k, v in outputs.items()}
    case |= {f"weight.{k}": v for k, v in weights.items()} | {f"grad.{k}": parameters[v].grad for k, v in grads.items()}
    case |= {f"grad.{k}": v.grad for k, v in inputs.items() if v.requires_grad}
    save_file({k: v.detach().contiguous().clone() for k, v in case.items()}, f"{folder}/case.safetensors")
    print(name, sum(os.path.getsize(f) for f in glob.glob(f"{folder}/*")), {k: [round(float(x), 2) for x in v.detach().aminmax()] for k, v in outputs.items()})


same = lambda *names: {n: n for n in names}


def vaes(gen):
    def forward(m, pixels, latents):
        d = m.encode(pixels).latent_dist
        return {"mean": d.mean, "logvar": d.logvar, "decoded": m.decode(latents).sample}
    blocks = lambda n: dict(down_block_types=("DownEncoderBlock2D",) * n, up_block_types=("UpDecoderBlock2D",) * n)
    m = randomise(AutoencoderKL(**blocks(2), block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1), gen)
    write("vae", m, {"pixels": torch.randn(2, 3, 12, 8, generator=gen), "latents": torch.randn(2, 4, 3, 4, generator=gen)}, forward,
          same("encoder.conv_in.weight", "encoder.down_blocks.0.downsamplers.0.conv.bias", "encoder.mid_block.attentions.0.to_q.weight", "quant_conv.weight",
               "decoder.mid_block.attentions.0.to_out.0.weight", "decoder.up_blocks.1.resnets.0.conv_shortcut.weight", "decoder.conv_norm_out.weight"), gen)
    # other depths and options, and log variances beyond both ends of the clamp
    m = randomise(AutoencoderKL(**blocks(3), in_channels=2, out_channels=1, latent_channels=3, block_out_channels=(4, 8, 8), norm_num_groups=2, layers_per_block=2,
                                use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False), gen)
    with torch.no_grad():
        m.encoder.conv_out.weight.mul_(60)
    write("vae-plain", m, {"pixels": torch.randn(1, 2, 8, 16, generator=gen), "latents": torch.randn(1, 3, 3, 2, generator=gen)}, forward,
          same("encoder.conv_out.bias", "decoder.conv_in.weight"), gen)


def clips(gen):
    # the wrong end token of 2022: the text ends at the highest id
    text = dict(vocab_size=40, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=9)
    m = randomise(CLIPTextModel(CLIPTextConfig(**text, eos_token_id=2)), gen)

    def forward(m, ids):
        o = m(ids, output_hidden_states=True)
        return {"last": o.last_hidden_state, "penultimate": o.hidden_states[-2], "pooled": o.pooler_output}
    ids = torch.randint(3, 38, (3, 9), generator=gen)
    ids[0, 4:], ids[1, 7], ids[2, 2] = 39, 39, 2
    write("clip-text-2022", m, {"ids": ids}, forward,
          same("embeddings.token_embedding.weight", "embeddings.position_embedding.weight", "encoder.layers.0.self_attn.k_proj.weight"), gen)
    # pictures whose size is no multiple of the patch's; texts padded with their end token, one of them without any
    vision = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=2, image_size=22, patch_size=8, hidden_act="gelu")
    m = randomise(CLIPModel(CLIPConfig(text_config=text | dict(eos_token_id=39, pad_token_id=39, bos_token_id=38), vision_config=vision, projection_dim=10)), gen)
    ids = torch.randint(3, 38, (3, 7), generator=gen)
    ids[0, 4:], ids[1, 6] = 39, 39

    def both(m, ids, pixels):
        return {"text": m.get_text_features(ids).pooler_output, "image": m.get_image_features(pixels).pooler_output}
    write("clip", m, {"ids": ids, "pixels": torch.randn(2, 3, 22, 22, generator=gen)}, both,
          same("text_projection.weight", "visual_projection.weight", "vision_model.embeddings.class_embedding", "vision_model.embeddings.position_embedding.weight",
               "vision_model.embeddings.patch_embedding.weight", "vision_model.pre_layrnorm.weight"), gen)


def aligns(gen):
    # strides, kernels and paddings of all kinds on pictures with odd and even sides
    vision = dict(width_coefficient=0.35, depth_coefficient=1.2, depth_divisor=4, in_channels=[32, 12, 24, 20], out_channels=[12, 24, 20, 32], kernel_sizes=[3, 5, 3, 5],
                  strides=[1, 2, 2, 2], num_block_repeats=[1, 1, 1, 1], expand_ratios=[1, 3, 2, 4], depthwise_padding=[2], squeeze_expansion_ratio=0.3)
    text = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, vocab_size=30, max_position_embeddings=10)
    m = randomise(AlignModel(AlignConfig(text_config=text, vision_config=vision, projection_dim=12)), gen)
    ids = torch.randint(1, 30, (2, 8), generator=gen)
    mask = torch.ones(2, 8, dtype=torch.int64)
    ids[0, 5:], mask[0, 5:] = 0, 0

    def forward(m, ids, mask, pixels):
        return {"text": m.get_text_features(ids, attention_mask=mask).pooler_output, "image": m.get_image_features(pixels).pooler_output}
    block = "vision_model.encoder.blocks.3."
    write("align", m, {"ids": ids, "mask": mask, "pixels": torch.randn(2, 3, 45, 38, generator=gen)}, forward,
          same("text_projection.weight", "text_model.embeddings.word_embeddings.weight", "text_model.encoder.layer.0.attention.self.value.weight",
               "vision_model.embeddings.convolution.weight", "vision_model.embeddings.batchnorm.bias", block + "expansion.expand_bn.weight",
               block + "depthwise_conv.depthwise_conv.weight", block + "squeeze_excite.reduce.weight", block + "projection.project_conv.weight"), gen)


def dinos(gen):
    config = ViTConfig(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, image_size=16, patch_size=8, qkv_bias=False)
    m = randomise(ViTModel(config, add_pooling_layer=False), gen)
    query = next(n for n, _ in m.named_parameters() if ".0." in n and "q" in n.split(".")[-2])
    write("dino", m, {"pixels": torch.randn(2, 3, 16, 16, generator=gen)}, lambda m, pixels: {"image": m(pixels).last_hidden_state[:, 0]},
          same("embeddings.cls_token", "embeddings.position_embeddings", "embeddings.patch_embeddings.projection.weight", "layernorm.bias")
          | {"encoder.layer.0.attention.attention.query.weight": query}, gen)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for seed, make in enumerate((vaes, clips, aligns, dinos)):
        make(torch.Generator().manual_seed(seed))
