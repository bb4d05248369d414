"""Loads argv[1] (model.json) and argv[2] (weights) as the trainer wrote them, prints what the model predicts for the
batch the test draws too, and writes the model's own to_json() and weights to argv[3] and argv[4]."""

import json
import pathlib
import sys

import numpy as np
from keras import models

model = models.model_from_json(pathlib.Path(sys.argv[1]).read_text())
model.load_weights(sys.argv[2])
shape = (2, *model.input_shape[1:])
hashed = np.modf(np.abs(np.sin(np.arange(int(np.prod(shape))) * 12.9898 + 1)) * 4375.8)[0]
x = (hashed * 2 - 1).reshape(shape).astype("float32")
print(json.dumps({"predictions": model.predict(x, verbose=0).ravel().tolist(), "parameters": model.count_params()}))
pathlib.Path(sys.argv[3]).write_text(model.to_json())
model.save_weights(sys.argv[4])
