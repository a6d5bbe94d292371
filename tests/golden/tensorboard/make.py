"""Writes events.tfevents with Python's tensorboard: what src/logs/tensorboard has to write too.

    pip install tensorboard && python tests/golden/tensorboard/make.py
"""

import struct
import zlib
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def png() -> bytes:
    """A picture of 2 x 1 pixels, red and blue."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes([0, 255, 0, 0, 0, 0, 255]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def values(*values: Summary.Value) -> Summary:
    return Summary(value=values)


image = Summary.Image(height=1, width=2, colorspace=3, encoded_image_string=png())
events = [
    Event(wall_time=1700000000.25, file_version="brain.Event:2"),
    Event(wall_time=1700000000.5, step=40, session_log=SessionLog(status=SessionLog.START)),
    Event(wall_time=1700000001.0, step=41, summary=values(Summary.Value(tag="loss/sim", simple_value=0.1))),
    Event(
        wall_time=1700000002.0,
        step=300,
        summary=values(
            Summary.Value(tag="preference/label", simple_value=0.0),
            Summary.Value(tag="validation/00-1 ein Bär", image=image),
        ),
    ),
]

here = Path(__file__).parent
(here / "pixels.png").write_bytes(png())
with open(here / "events.tfevents", "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
