"""Write weights of prompts and embeddings of long ones: python make.py LPW, with LPW diffusers' examples/community/lpw_stable_diffusion.py.

weights.json: that file's parse_prompt_attention. embeddings.json: the states of ../tiny's text encoder of SD 1.5 and of ../parity's two of XL for
prompts in parts of 75 tokens, as that file computes them where a prompt is one part; of several parts by the lines below, in which each part is
a prompt of its own (start, 75 tokens, end, padding), weighted and kept at its mean alone.
"""
import ast, json, os, re, sys
import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

here = os.path.dirname(os.path.abspath(__file__))
tree = ast.parse(open(sys.argv[1]).read())
wanted = {"parse_prompt_attention", "re_attention"}
kept = [n for n in tree.body if getattr(n, "name", None) in wanted or isinstance(n, ast.Assign) and getattr(n.targets[0], "id", None) in wanted]
lpw = {"re": re}
exec(compile(ast.Module(kept, []), "lpw", "exec"), lpw)
parse = lpw["parse_prompt_attention"]

PROMPTS = [
    "normal text", "an (important) word", "(unbalanced", "\\(literal\\]", "(unnecessary)(parens)",
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "a (dog:1.4)", "[dog]", "[[a] b", "a) dog]", "(a [b (c:2) d] e)", "(a:-1) b",
    "(dog:.5)", "(a:b)", "a:1.5", "\\\\(x)", "a \\ b", "(a\\):1.2)", "()", "[]", "", "(caf\u00e9 \U0001f436:1.25)!", "(a:1.1)(b:1.1) c",
]
with open(f"{here}/weights.json", "w") as file:
    json.dump([dict(prompt=p, weights=parse(p)) for p in PROMPTS], file, indent=1)


def parts(tokenizer, pieces):
    tokens = [(t, w) for text, w in pieces for t in tokenizer(text, add_special_tokens=False, truncation=False).input_ids]
    rows = [tokens[i : i + 75] for i in range(0, len(tokens), 75)] or [[]]
    for row in rows:
        ids = [tokenizer.bos_token_id, *(t for t, _ in row), tokenizer.eos_token_id]
        yield ids + [tokenizer.pad_token_id] * (77 - len(ids)), [1.0, *(w for _, w in row)] + [1.0] * (76 - len(row))


@torch.no_grad()
def embed(tokenizer, encoder, pieces, penultimate):
    states, pooled = [], None
    for ids, weights in parts(tokenizer, pieces):
        out = encoder(torch.tensor([ids]), output_hidden_states=True)
        z = out.hidden_states[-2] if penultimate else out.last_hidden_state
        mean = z.mean()
        z = z * torch.tensor(weights)[None, :, None]
        states.append(z * (mean / z.mean()))
        pooled = out.text_embeds if pooled is None and hasattr(out, "text_embeds") else pooled
    return torch.cat(states, 1)[0], pooled


LONG = "a photo of a [V] dog, " + "very beautiful and detailed, " * 20 + "on the beach"
CASES = [(LONG, False), ("a (photo:1.4) of a [dog] in ((snow))", True), (f"(a red dog:1.3) {LONG} (seen from afar:0.6)", True)]
sd15, sdxl = f"{here}/../tiny/checkpoints/sd15-tiny", f"{here}/../parity/checkpoints/sdxl-tiny"
models = {
    "sd15-tiny": [(sd15, "tokenizer", "text_encoder", CLIPTextModel)],
    "sdxl-tiny": [(sdxl, "tokenizer", "text_encoder", CLIPTextModel), (sdxl, "tokenizer_2", "text_encoder_2", CLIPTextModelWithProjection)],
}
out = []
for name, encoders in models.items():
    for prompt, weighted in CASES:
        pieces = parse(prompt) if weighted else [[prompt, 1.0]]
        both = [embed(CLIPTokenizer.from_pretrained(r, subfolder=t), c.from_pretrained(r, subfolder=e).eval().float(), pieces, name != "sd15-tiny") for r, t, e, c in encoders]
        states = torch.cat([z for z, _ in both], -1)
        rows = list(range(0, len(states), 19)) + [76, len(states) - 1]
        pooled = next((p for _, p in both if p is not None), None)
        out.append(dict(model=name, prompt=prompt, weighted=weighted, length=len(states), rows=rows, states=[[round(x, 6) for x in states[r].tolist()] for r in rows],
                        pooled=None if pooled is None else [round(x, 6) for x in pooled[0].tolist()]))
with open(f"{here}/embeddings.json", "w") as file:
    json.dump(out, file)
