"""Saves VGG16 without its top, its weights made at random, as Keras saves it (argv[1], .h5), and prints its features of
the batch the test draws too, preprocessed by Keras."""

import json
import sys

import numpy as np
from keras.applications import vgg16

model = vgg16.VGG16(weights=None, include_top=False, input_shape=(48, 48, 3))
model.save_weights(sys.argv[1])
shape = (2, 48, 48, 3)
hashed = np.modf(np.abs(np.sin(np.arange(int(np.prod(shape))) * 12.9898 + 1)) * 4375.8)[0]
x = ((hashed * 2 - 1) * 127 + 128).reshape(shape).astype("float32")
features = model.predict(vgg16.preprocess_input(x.copy()), verbose=0)
print(json.dumps({"shape": features.shape, "features": features.ravel().tolist()}))
