"""Prints what TensorBoard's own reader finds in the folder argv[1]."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import graph_pb2

events = EventAccumulator(sys.argv[1])
events.Reload()
scalars = {t: [[e.step, e.value, e.wall_time] for e in events.Scalars(t)] for t in events.Tags()["scalars"]}
histograms = {
    t: [[h.step, h.histogram_value.num, h.histogram_value.sum, sum(h.histogram_value.bucket)] for h in events.Histograms(t)]
    for t in events.Tags()["histograms"]
}
images = {
    t: [[i.step, i.width, i.height, i.encoded_image_string.hex()] for i in events.Images(t)]
    for t in events.Tags()["images"]
}
graph = graph_pb2.GraphDef.FromString(events.Graph().SerializeToString())
nodes = [[n.name, n.op, list(n.input), sorted(n.attr)] for n in graph.node]
sizes = [d.size for d in graph.node[0].attr["shape"].shape.dim]
print(json.dumps(dict(scalars=scalars, histograms=histograms, images=images, nodes=nodes, sizes=sizes)))
