"""Prints what Keras 2.15 does with the network of step.test.ts: losses, accuracies and predictions over 6 steps of
RMSprop (and Adam), from weights and batches that both sides draw from the same formula. Writes step.keras.json."""

import json
import pathlib

import numpy as np
import tensorflow as tf
from keras import layers, models, optimizers

SIZE, BATCH, STEPS = 14, 8, 6


def wave(shape, phase, scale):
    count = int(np.prod(shape))
    hashed = np.modf(np.abs(np.sin(np.arange(count) * 12.9898 + phase)) * 4375.8)[0]
    return ((hashed * 2 - 1) * scale).reshape(shape).astype("float32")


def batch(step):
    x = (wave((BATCH, SIZE, SIZE, 3), step * 1.3, 0.5) + 0.5).astype("float32")
    y = np.array([(i + step) % 2 for i in range(BATCH)], "float32")
    x[y == 1, :, ::2] *= 0.4
    return x, y


def run(optimizer):
    model = models.Sequential(
        [
            layers.Input((SIZE, SIZE, 3)),
            layers.Conv2D(4, (3, 3)),
            layers.Activation("relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(6, (3, 3)),
            layers.Activation("relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(8),
            layers.Activation("relu"),
            layers.Dense(1),
            layers.Activation("sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    for i, weight in enumerate(model.weights):
        weight.assign(wave(weight.shape, i, 0.3 if len(weight.shape) > 1 else 0.05))
    x, y = batch(0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.keras.losses.binary_crossentropy(y[:, None], model(x, training=True)))
    gradients = [float(tf.norm(g)) for g in tape.gradient(loss, model.trainable_weights)]
    steps = [model.train_on_batch(*batch(i)) for i in range(STEPS)]
    return {
        "gradients": gradients,
        "losses": [float(loss) for loss, _ in steps],
        "accuracies": [float(accuracy) for _, accuracy in steps],
        "predictions": model.predict(batch(0)[0], verbose=0)[:, 0].tolist(),
    }


answers = {"rmsprop": run(optimizers.RMSprop(0.01)), "adam": run(optimizers.Adam(0.01))}
pathlib.Path(__file__).with_name("step.keras.json").write_text(json.dumps(answers, indent=1) + "\n")
