"""What the authors' merge of Custom Diffusion (composenW.py, `gdupdateWexact` and what is before it) makes of random matrices and of texts: python make.py,
with the checkpoint of ../tiny. `numbers.safetensors` has features and matrices of any kind, some rows of the subjects being equal; `texts.safetensors` two
subjects' words in the text encoder of transformers. All is computed in double precision."""
import os
import sys
import torch
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTokenizer

here = os.path.dirname(os.path.abspath(__file__))
PATH = f"{here}/../tiny/checkpoints/sd15-tiny"
LAYERS = ["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", "mid_block.attentions.0.transformer_blocks.0.attn2.to_v.weight"]


def merge_one(K, targets, values, W):
    """The weights nearest to W on K that map the targets to the values."""
    C = K.T @ K
    d = torch.linalg.solve(C, targets.T).T
    delta = (values.T - W @ targets.T) @ torch.linalg.inv(d @ targets.T)
    return W + delta @ d


def merge(K, features, base, own):
    """features [m, D] of each subject, base {name: [out, D]}, own the same of each subject."""
    targets = torch.cat(features)
    kept = [i for i in range(len(targets)) if not any((targets[i] - targets[j]).abs().mean() == 0 for j in range(i))]
    out = {}
    for name, W in base.items():
        values = torch.cat([c @ weights[name].T for c, weights in zip(features, own)])
        out[name] = merge_one(K, targets[kept], values[kept], W)
    return out


def save(name, tensors):
    save_file({k: v.to(torch.float32).contiguous().clone() for k, v in tensors.items()}, f"{here}/{name}.safetensors")


def weights(gen, outs, width):
    """float32 numbers, as files hold them, in double precision."""
    base = {name: torch.randn(out, width, generator=gen).double() for name, out in zip(LAYERS, outs)}
    own = [{name: W + 0.1 * torch.randn(W.shape, generator=gen).double() for name, W in base.items()} for _ in range(2)]
    own = [{name: W.float().double() for name, W in each.items()} for each in own]
    return base, own


def packed(K, features, base, own, merged):
    return {"regularizer": K} | {f"features.{i}": c for i, c in enumerate(features)} | {f"base.{n}": W for n, W in base.items()} | {
        f"own.{i}.{n}": W for i, each in enumerate(own) for n, W in each.items()} | {f"expected.{n}": W for n, W in merged.items()}


def numbers(width=24, rows=90, outs=(10, 7), counts=(5, 4), seed=3):
    gen = torch.Generator().manual_seed(seed)
    K = torch.randn(rows, width, generator=gen).double()
    features = [torch.randn(n, width, generator=gen).double() for n in counts]
    features[1][0] = features[0][1]  # texts that begin alike
    base, own = weights(gen, outs, width)
    save("numbers", packed(K, features, base, own, merge(K, features, base, own)))


def texts(seed=4):
    gen = torch.Generator().manual_seed(seed)
    encoder = CLIPTextModel.from_pretrained(PATH, subfolder="text_encoder").eval()
    tokenizer = CLIPTokenizer.from_pretrained(PATH, subfolder="tokenizer")
    words, classes = ["<new1>", "<new2>"], ["dog", "teapot"]
    assert tokenizer.add_tokens(words) == 2
    eos = tokenizer.eos_token_id
    encoder.resize_token_embeddings(len(tokenizer))
    encoder.config.eos_token_id = eos
    getattr(encoder, "text_model", encoder).eos_token_id = eos
    table = encoder.get_input_embeddings().weight
    vectors = torch.randn(2, table.shape[1], generator=gen) * 0.05
    with torch.no_grad():
        table[tokenizer.convert_tokens_to_ids(words)] = vectors

    # 3 in CLIP's own vocabulary, for which the authors write 4: the first token too
    opening = len(tokenizer("a photo of", add_special_tokens=False).input_ids)

    def features(prompts):
        rows = []
        for text in prompts:
            ids = tokenizer(text, truncation=True, max_length=77, padding="max_length", return_tensors="pt").input_ids
            end = torch.nonzero(ids == eos)[:, 1].min()
            with torch.no_grad():
                states = encoder(ids).last_hidden_state[0]
            rows.append(states[1 + opening if "a photo of" in text[:15] else 1 : end + 1])
        return torch.cat(rows)

    captions = [f"{a} {n} {p}" for a in ("a small", "a photo of a red", "an old") for n in ("dog", "house", "tree", "bicycle", "lamp") for p in ("on the beach", "in the snow at night", "beside a wall")]
    tensors = {"vectors": vectors, "regularizer": features(captions)}
    for i, (word, noun) in enumerate(zip(words, classes)):
        tensors[f"features.{i}"] = features([f"{word} {noun}", f"a photo of {word} {noun}"])
    save("texts", tensors)


if __name__ == "__main__":
    numbers(*map(int, sys.argv[1:3]))
    texts()
