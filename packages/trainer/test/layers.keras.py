"""Writes layers.keras.json: what layers of Keras 2.15 give forward and backward for the inputs, weights and output
gradients that layers.keras.test.ts draws from the same formula, and six steps of a network with batch normalisation.

Run with a Python that has tensorflow-cpu 2.15.1."""

import json
import pathlib

import numpy as np
import tensorflow as tf
from keras import layers, models, optimizers


def wave(shape, phase, scale):
    hashed = np.modf(np.abs(np.sin(np.arange(int(np.prod(shape))) * 12.9898 + phase)) * 4375.8)[0]
    return ((hashed * 2 - 1) * scale).reshape(shape).astype("float32")


def flat(tensor):
    return [float(f"{v:.7g}") for v in np.asarray(tensor).ravel()]


def layer_case(name, shape, options):
    layer = getattr(layers, name)(**options)
    x = tf.constant(wave(shape, 1, 1.0))
    layer.build(x.shape)
    for i, weight in enumerate(layer.weights):
        # A variance is positive.
        weight.assign(wave(weight.shape, 2 + i, 0.5) + (1 if "variance" in weight.name or "gamma" in weight.name else 0))
    tested = layer(x, training=False)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    dy = wave(y.shape, 9, 1.0)
    dx, grads = tape.gradient(y, [x, layer.trainable_weights], output_gradients=tf.constant(dy))
    return {
        "layer": name,
        "shape": list(shape),
        "options": options,
        "output_shape": list(y.shape),
        "y": flat(y),
        "tested": flat(tested),
        "dx": flat(dx),
        "grads": [flat(g) for g in grads],
        "moved": [flat(w) for w in layer.non_trainable_weights],
    }


CASES = [
    ("Conv2D", (2, 7, 6, 3), dict(filters=4, kernel_size=[3, 3])),
    ("Conv2D", (2, 7, 6, 3), dict(filters=4, kernel_size=[3, 3], padding="same", use_bias=False)),
    ("Conv2D", (2, 7, 6, 3), dict(filters=2, kernel_size=[3, 2], strides=[2, 2], padding="same", activation="relu")),
    ("Conv2D", (1, 8, 9, 2), dict(filters=3, kernel_size=[3, 3], strides=[2, 2])),
    ("Conv2D", (1, 8, 9, 2), dict(filters=3, kernel_size=[2, 4], strides=[3, 3], padding="same")),
    ("Conv2D", (1, 5, 5, 2), dict(filters=2, kernel_size=[1, 1], strides=[2, 2], padding="same")),
    ("BatchNormalization", (3, 4, 5, 3), dict(momentum=0.9)),
    ("BatchNormalization", (6, 5), dict(momentum=0.7, epsilon=0.01)),
    ("GlobalAveragePooling2D", (2, 3, 4, 5), dict()),
    ("MaxPooling2D", (2, 7, 5, 3), dict(pool_size=[2, 2])),
    ("Dense", (3, 7), dict(units=4, activation="relu")),
]

SIZE, BATCH, STEPS = 19, 6, 6


def batch(step):
    x = (wave((BATCH, SIZE, SIZE, 3), step * 1.3, 0.5) + 0.5).astype("float32")
    y = np.array([(i + step) % 2 for i in range(BATCH)], "float32")
    x[y == 1, :, ::2] *= 0.4
    return x, y


def deep():
    block = lambda filters, **options: [
        layers.Conv2D(filters, 3, padding="same", use_bias=False, **options),
        layers.BatchNormalization(momentum=0.9),
        layers.Activation("relu"),
    ]
    model = models.Sequential(
        [
            layers.Input((SIZE, SIZE, 3)),
            *block(4, strides=2),
            *block(6),
            layers.MaxPooling2D(),
            *block(8),
            layers.MaxPooling2D(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    rate = optimizers.schedules.CosineDecay(0.02, 8)
    model.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(rate), metrics=["accuracy"])
    for i, weight in enumerate(w for w in model.weights if "kernel" in w.name):
        weight.assign(wave(weight.shape, i, 0.3))
    steps = [model.train_on_batch(*batch(i)) for i in range(STEPS)]
    return {
        "rates": [float(rate(i)) for i in range(12)],
        "losses": [float(loss) for loss, _ in steps],
        "accuracies": [float(accuracy) for _, accuracy in steps],
        "predictions": flat(model.predict(batch(0)[0], verbose=0)),
        "moving": [flat(w) for w in model.non_trainable_weights],
    }


answers = {"cases": [layer_case(*case) for case in CASES], "deep": deep()}
pathlib.Path(__file__).with_name("layers.keras.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")
