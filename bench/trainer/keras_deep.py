"""The network of `train --model deep` in Keras 2.15, with the same pictures and settings, for as many epochs as asked."""

import argparse
import os

from keras import layers, models, optimizers
from keras.preprocessing.image import ImageDataGenerator

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, required=True)
arguments = parser.parse_args()
data = os.environ["MYCLOUD_INPUT"]
batch_size = 32

model = models.Sequential([layers.Input((150, 150, 3))])
for place, filters in enumerate([24, 48, 96, 128, 192]):
    model.add(layers.Conv2D(filters, 3, strides=2 if place == 0 else 1, padding="same", use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.Activation("relu"))
    if place > 0:
        model.add(layers.MaxPooling2D())
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dropout(0.3))
model.add(layers.Dense(1, activation="sigmoid"))
schedule = optimizers.schedules.CosineDecay(2e-3, 60 * (2000 // batch_size))
model.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(schedule), metrics=["accuracy"])


def flow(folder, **augmentation):
    generator = ImageDataGenerator(rescale=1.0 / 255, **augmentation)
    return generator.flow_from_directory(
        os.path.join(data, folder), target_size=(150, 150), batch_size=batch_size, class_mode="binary"
    )


model.fit(
    flow("train", shear_range=0.1, zoom_range=0.3, width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True),
    epochs=arguments.epochs,
    steps_per_epoch=2000 // batch_size,
    validation_data=flow("val"),
)
