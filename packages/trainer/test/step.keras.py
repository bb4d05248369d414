"""Prints what Keras (2.15 or 3) does with the cases of step.keras.test.ts, which come in on stdin: for each the losses,
accuracies and predictions of 6 steps, and the gradient of every weight in the first. Weights and batches are drawn from
the same formula on both sides."""

import json
import sys

import keras
import numpy as np
from keras import layers, models, optimizers

STEPS = 6


def wave(shape, phase, scale):
    count = int(np.prod(shape))
    hashed = np.modf(np.abs(np.sin(np.arange(count) * 12.9898 + phase)) * 4375.8)[0]
    return ((hashed * 2 - 1) * scale).reshape(shape).astype("float32")


def batch(step, case):
    n, size, classes = case["batch"], case["size"], case["classes"]
    x = (wave((n, size, size, 3), step * 1.3, 0.5) + 0.5).astype("float32")
    label = np.array([(i + step) % classes for i in range(n)])
    for c in range(1, classes):
        x[label == c, :, c - 1 :: 2] *= 0.4
    y = label.astype("float32") if classes == 2 else np.eye(classes, dtype="float32")[label]
    return x, y


def build(case, optimizer):
    made = [getattr(layers, layer["class_name"])(**layer["config"]) for layer in case["layers"]]
    model = models.Sequential([layers.Input((case["size"], case["size"], 3)), *made])
    model.compile(loss=case["loss"], optimizer=optimizer, metrics=["accuracy"])
    values = iter(case["weights"])
    for layer in made:
        # In the order of the trainer's specs: by layer, each layer's as Keras lists them.
        layer.set_weights([wave(w.shape, *next(values)) + offset for w, offset in zip(layer.get_weights(), offsets(layer))])
    return model


def offsets(layer):
    """Scales and variances of a batch normalisation lie around 1."""
    is_norm = isinstance(layer, layers.BatchNormalization)
    names = [w.name for w in layer.weights]
    return [1.0 if is_norm and ("gamma" in name or "variance" in name) else 0.0 for name in names]


def run(case):
    given = dict(case["optimizer"])
    rate = given["learning_rate"]
    if isinstance(rate, dict):
        given["learning_rate"] = getattr(optimizers.schedules, rate.pop("class_name"))(**rate)
    model = build(case, getattr(optimizers, given.pop("class_name"))(**given))
    steps = []
    for i in range(STEPS):
        model.reset_metrics()
        steps.append([float(v) for v in model.train_on_batch(*batch(i, case))])
    predictions = np.asarray(model.predict(batch(0, case)[0], verbose=0)).ravel().tolist()

    # A step of plain descent at rate 1 takes the gradient off the weight.
    model = build(case, optimizers.SGD(1.0))
    before = [np.array(w) for w in model.get_weights()]
    model.train_on_batch(*batch(0, case))
    gradients = [(b - a).ravel().tolist() for b, a in zip(before, model.get_weights())]
    return {
        "losses": [loss for loss, _ in steps],
        "accuracies": [accuracy for _, accuracy in steps],
        "predictions": predictions,
        "gradients": gradients,
    }


print("Keras", keras.__version__, file=sys.stderr)
print(json.dumps({name: run(case) for name, case in json.load(sys.stdin).items()}))
