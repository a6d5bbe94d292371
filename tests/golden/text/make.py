"""Write the golden tokenizers and cases.json of this folder (transformers 5.23, tokenizers 0.23).

    python make.py CHECKPOINTS      # holds sd15-tiny and align-tiny, written by the parity tools' checkpoints.py

Each tokenizer folder is of one age: as transformers writes it today, or as the hub's checkpoints of 2022 have it. cases.json has the
prompts and, for each folder, the ids of each prompt up to its end token; `pad` follows up to `length`.
"""
import json, os, shutil, sys
from transformers import BertTokenizer, CLIPTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
CLIP, BERT = f"{sys.argv[1]}/sd15-tiny/tokenizer", f"{sys.argv[1]}/align-tiny"
START, END = "<|startoftext|>", "<|endoftext|>"
PROMPTS = [
    "", "   ", "\n", "a photo of a dog", "a [V] dog wearing a santa hat", "  A   wet\tCAT,\r\n in Vincent van Gogh's style!!  ",
    "a stuffed animal (naïve café) 🐶 x2", " ".join(["a cube shaped vase on top of a white rug"] * 12), "a dog on the beach " * 15 + "!",
    "it's I'm we've they'll you'd can't we're 'S 'RE", "2024-01-02 3.14 ½ ² ٣ Ⅷ", "一只狗 在海滩 東京タワー 한국어 𠀀𠀁 狗dog",
    "a\0b\u0001c\u007fd\u0085e\u200bf\u200cg\u200dh\ufeffi\u2028j\u00a0k\u3000l\ufffdm\u00adn", "&amp; &lt;b&gt; &#39;",
    "[v] <V> sks [UNK] [MASK] [CLS] [SEP] [PAD] [mask]", "a<|endoftext|>b <|startoftext|> <|ENDOFTEXT|> x", "<|ENDOFTEXT|>",
    "<|STARTOFTEXT|>!!", "!!<|EndOfText|>!", "!", "!!", "hello! wow !x! ！", "x" * 100, "x" * 101, "antidisestablishmentarianism" * 4,
    "Ångström CAFÉ ÉCOLE e\u0301 \u1e9e ß ŒUVRE İstanbul ΣΑΣ ΌΔΟΣ ǅ ﬁ", "👨‍👩‍👧‍👦 🏳️‍🌈 ☕️ 🇩🇪 1️⃣", "ไทย हिन्दी العربية עברית",
    "a_b-c/d\\e|f{g}h~i`j^k", "\"quoted\" ‘curly’ “double” — – … •", "$5 €6 £7 ¥8 %", "!\ufeff! .\u0301.", "a <new1>dog<NEW1> <sks> <SKS>",
]


def token(content):
    return dict(content=content, lstrip=False, normalized=True, rstrip=False, single_word=False)


def folder(name, source, files, **json_files):
    path = f"{HERE}/{name}"
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    for file in files:
        if file.endswith(".json"):
            json.dump(json.load(open(f"{source}/{file}")), open(f"{path}/{file}", "w"), ensure_ascii=False, separators=(",", ":"))
        else:
            shutil.copyfile(f"{source}/{file}", f"{path}/{file}")
    for file, content in json_files.items():
        json.dump(content, open(f"{path}/{file}.json", "w"), ensure_ascii=False, indent=1)
    return path


typed = lambda content: {"__type": "AddedToken"} | token(content)
names = dict(bos_token=START, eos_token=END, unk_token=END)
map_2022 = {k: token(v) for k, v in names.items()}
config_2022 = dict({k: typed(v) for k, v in names.items()}, pad_token=END, model_max_length=77, tokenizer_class="CLIPTokenizer")
vocab = json.load(open(f"{CLIP}/vocab.json"))
listed = {str(vocab[c]): token(c) | dict(special=True, normalized=c != "!") for c in ("!", START, END)}
folders = [
    ("clip", folder("clip-today", CLIP, ["tokenizer.json", "tokenizer_config.json"])),
    ("clip", folder("clip-2022-sd1", CLIP, ["vocab.json", "merges.txt"], tokenizer_config=config_2022, special_tokens_map=dict(map_2022, pad_token=END))),
    ("clip", folder("clip-2022-sd2", CLIP, ["vocab.json", "merges.txt"], tokenizer_config=config_2022, special_tokens_map=dict(map_2022, pad_token="!"))),
    ("clip", folder("clip-2023-listed", CLIP, ["vocab.json", "merges.txt"], special_tokens_map=dict(map_2022, pad_token="<unused>"),
                    tokenizer_config=dict(names, pad_token="!", model_max_length=77, added_tokens_decoder=listed, tokenizer_class="CLIPTokenizer"))),
    ("clip", folder("clip-added", CLIP, ["vocab.json", "merges.txt"], added_tokens={"<SKS>": len(vocab)},
                    tokenizer_config=dict(additional_special_tokens=["<new1>", "<new1>dog"], model_max_length=77, tokenizer_class="CLIPTokenizer"))),
    ("bert", folder("bert-today", BERT, ["tokenizer.json", "tokenizer_config.json"])),
    ("bert", folder("bert-2022", BERT, ["vocab.txt"], tokenizer_config=dict(do_lower_case=True, tokenizer_class="BertTokenizer"))),
    ("bert", folder("bert-cased", BERT, ["vocab.txt"], tokenizer_config=dict(do_lower_case=False, tokenizer_class="BertTokenizer"))),
]
cases = []
for kind, path in folders:
    tokenizer = (CLIPTokenizer if kind == "clip" else BertTokenizer).from_pretrained(path)
    length = 77 if kind == "clip" else 64
    out = tokenizer(PROMPTS, padding="max_length", truncation=True, max_length=length)
    kept = [ids[:sum(mask)] for ids, mask in zip(out.input_ids, out.attention_mask)]
    cases.append(dict(folder=os.path.basename(path), kind=kind, length=length, vocabularySize=len(tokenizer), pad=tokenizer.pad_token_id, ids=kept))
json.dump(dict(prompts=PROMPTS, cases=cases), open(f"{HERE}/cases.json", "w"), ensure_ascii=False)
