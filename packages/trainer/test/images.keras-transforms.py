"""Writes images.keras-transforms.json: pictures transformed by Keras 2.15 and scipy themselves.

Run with a Python that has tensorflow-cpu 2.15.1, scipy and pillow, in this folder.
"""

import json

import numpy as np
from keras.preprocessing.image import apply_affine_transform
from PIL import Image

NEUTRAL = dict(theta=0, tx=0, ty=0, shear=0, zx=1, zy=1)
TRANSFORMS = [
    dict(theta=33),
    dict(tx=1.4, ty=-2.3),
    dict(shear=25),
    dict(zx=0.8, zy=1.35),
    dict(theta=-160, tx=3.2, ty=0.7, shear=-12, zx=1.9, zy=2.6),
    dict(tx=-19.5, ty=21.25),
    dict(shear=0.13, zx=1.17, zy=0.91),
]

rng = np.random.default_rng(7)
cases = []
for height, width in [(6, 6), (5, 8)]:
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for transform in TRANSFORMS:
        for mode in ["nearest", "constant", "reflect", "wrap"]:
            values = {**NEUTRAL, **transform}
            axes = dict(row_axis=0, col_axis=1, channel_axis=2)
            out = apply_affine_transform(picture.astype("float32"), **values, **axes, fill_mode=mode, cval=7.0)
            cases.append(
                dict(
                    height=height,
                    width=width,
                    transform=values,
                    mode=mode,
                    picture=picture.ravel().tolist(),
                    expected=[round(float(v), 4) for v in out.ravel()],
                )
            )

resizes = []
for src, dst in [(7, 3), (3, 7), (499, 150), (375, 150), (500, 96), (149, 150), (1050, 10)]:
    line = Image.fromarray(np.arange(src, dtype=np.int32)[None, :], mode="I")
    index = np.asarray(line.resize((dst, 1), Image.NEAREST))[0]
    resizes.append({"from": src, "to": dst, "index": index.tolist()})

with open("images.keras-transforms.json", "w") as file:
    json.dump({"transforms": cases, "resizes": resizes}, file, separators=(",", ":"))
