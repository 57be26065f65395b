#!/usr/bin/env python3
"""make-bicubic-model.py FILE [SCALE [FEATURES]]: writes the smallest network that `vsr` loads; its scale is 4
unless given, and it has one feature unless more are to make it slow.

Its weights are zero, so that its result is the bicubic enlargement with a trace of noise: a quick
stand-in where tests are about files and not about pictures. Needs nothing but Python."""
import json
import struct
import sys

SCALE = int(sys.argv[2]) if len(sys.argv) > 2 else 4
FEATURES = int(sys.argv[3]) if len(sys.argv) > 3 else 1
BODY = 1
UNSHUFFLED = 3 * SCALE * SCALE
METADATA = {
    "network": "compact", "scale": str(SCALE), "features": str(FEATURES), "body": str(BODY),
    "residual_every": "1", "sigma": "1.0", "sigma_data": "0.5",
}
SHAPES = {
    "emb.0.weight": [4, 4], "emb.0.bias": [4],
    "emb.2.weight": [(BODY + 1) * FEATURES, 4], "emb.2.bias": [(BODY + 1) * FEATURES],
    "head.weight": [FEATURES, UNSHUFFLED + 3, 3, 3], "head.bias": [FEATURES],
    "act.0.weight": [FEATURES], "act.1.weight": [FEATURES],
    "body.0.weight": [FEATURES, FEATURES, 3, 3], "body.0.bias": [FEATURES],
    "tail.weight": [UNSHUFFLED, FEATURES, 3, 3], "tail.bias": [UNSHUFFLED],
}


def main(path):
    header, offset = {"__metadata__": METADATA}, 0
    for name, shape in SHAPES.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + bytes(offset))


main(sys.argv[1])
