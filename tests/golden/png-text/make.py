"""PNGs with texts as Pillow writes them: run beside this file with Pillow 11.

pillow.png: Latin-1 as tEXt, other letters as iTXt, compressed ones as zTXt and iTXt.
"""

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

info = PngInfo()
info.add_text("parameters", "a dog in a caf\u00e9\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 8x8")
info.add_text("japanese", "\u72ac")
info.add_text("packed", "a" * 1000, zip=True)
info.add_itxt("packed-utf8", "\u72ac" * 1000, lang="ja", tkey="\u72ac", zip=True)
Image.new("RGB", (2, 2), (255, 0, 0)).save(Path(__file__).with_name("pillow.png"), pnginfo=info)
