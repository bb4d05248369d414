"""Writes scalars, an image and a histogram into argv[1] as TF2 does (tensors with a plugin), by TensorBoard's own code."""

import sys

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
from tensorboard.plugins.histogram import metadata as histogram_metadata
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar import metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

writer = EventFileWriter(sys.argv[1])


def put(step, tag, tensor, meta):
    value = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=meta)
    writer.add_event(event_pb2.Event(wall_time=100 + step, step=step, summary=summary_pb2.Summary(value=[value])))


curve = metadata.create_summary_metadata(display_name="", description="")
text = summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text"))
for step in range(3):
    put(step, "epoch_loss", tensor_util.make_tensor_proto(np.float32(0.5 / (step + 1))), curve)
put(3, "float_val", tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[0.25]), curve)
put(4, "double", tensor_pb2.TensorProto(dtype=types_pb2.DT_DOUBLE, double_val=[-1.5]), curve)
put(5, "int64", tensor_pb2.TensorProto(dtype=types_pb2.DT_INT64, int64_val=[-300]), curve)
put(6, "zero", tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT), curve)
put(7, "vector", tensor_util.make_tensor_proto(np.float32([1, 2])), curve)
put(8, "a_text", tensor_util.make_tensor_proto(np.float32(9)), text)
picture = tensor_util.make_tensor_proto(np.array([b"2", b"3", b"the bytes", b"of a second one"], dtype=object))
put(9, "picture", picture, image_metadata.create_summary_metadata(display_name="", description=""))
spread = tensor_util.make_tensor_proto(np.array([[0.0, 0.5, 2.0], [0.5, 1.0, 0.0], [1.0, 1.5, 1.0]]))
put(10, "spread", spread, histogram_metadata.create_summary_metadata(display_name="", description=""))
writer.close()
