"""A small ConvNet that tells cats from dogs, after "Building powerful image classification models using very little
data" (F. Chollet, the Keras blog, 2016). Reads /input/train and /input/val, in each one folder per class."""

import argparse
import os

from keras.callbacks import TensorBoard
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator

parser = argparse.ArgumentParser()
parser.add_argument("--logdir", default="/output/Graph", help="TensorBoard event files")
parser.add_argument("--epochs", type=int, default=100)
arguments = parser.parse_args()

data = os.environ.get("MYCLOUD_INPUT", "/input")
output = os.environ.get("MYCLOUD_OUTPUT", "/output")
if arguments.logdir.startswith("/output"):
    arguments.logdir = output + arguments.logdir[len("/output") :]
validation = "val" if os.path.isdir(os.path.join(data, "val")) else "validation"

img_width, img_height = 150, 150
nb_train_samples = 2000
nb_validation_samples = 400
batch_size = 32

model = Sequential()
model.add(Conv2D(32, (3, 3), input_shape=(img_height, img_width, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))

model.add(Conv2D(32, (3, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))

model.add(Conv2D(64, (3, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))

model.add(Flatten())
model.add(Dense(64))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(1))
model.add(Activation("sigmoid"))

model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])

train_datagen = ImageDataGenerator(rescale=1.0 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)

train_generator = train_datagen.flow_from_directory(
    os.path.join(data, "train"),
    target_size=(img_height, img_width),
    batch_size=batch_size,
    class_mode="binary",
)
validation_generator = test_datagen.flow_from_directory(
    os.path.join(data, validation),
    target_size=(img_height, img_width),
    batch_size=batch_size,
    class_mode="binary",
)

tensorboard = TensorBoard(log_dir=arguments.logdir, histogram_freq=0, write_graph=True, write_images=True)

model.fit(
    train_generator,
    steps_per_epoch=nb_train_samples // batch_size,
    epochs=arguments.epochs,
    validation_data=validation_generator,
    validation_steps=nb_validation_samples // batch_size,
    callbacks=[tensorboard],
)

model.save_weights(os.path.join(output, "weights.hdf5"))
