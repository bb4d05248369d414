"""Loads argv[1] (written by the trainer) into the tutorial's small network, prints what it predicts, and
saves the same weights as Keras writes them: argv[2] (.h5) and argv[3] (.weights.h5)."""

import json
import sys

import h5py
import keras
import numpy as np
from keras import layers, models

model = models.Sequential(
    [
        layers.Input((12, 12, 3)),
        layers.Conv2D(4, (3, 3), name="conv2d"),
        layers.Activation("relu", name="activation"),
        layers.MaxPooling2D((2, 2), name="max_pooling2d"),
        layers.Flatten(name="flatten"),
        layers.Dense(1, name="dense"),
        layers.Activation("sigmoid", name="activation_1"),
    ]
)
model.load_weights(sys.argv[1])
x = (np.arange(2 * 12 * 12 * 3, dtype=np.float32) % 17 / 17).reshape(2, 12, 12, 3)
weights = [w.ravel().tolist() for w in model.get_weights()]
print(json.dumps({"weights": weights, "predictions": model.predict(x, verbose=0).ravel().tolist()}))
if keras.__version__.startswith("2."):
    model.save_weights(sys.argv[2])
else:
    # Keras 3 still writes this layout, under its own name for it.
    keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(h5py.File(sys.argv[2], "w"), model)
model.save_weights(sys.argv[3])
