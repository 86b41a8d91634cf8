#!/usr/bin/env python3
"""Compares this package with PyTorch, safetensors and TensorBoard. `make parity` runs it.

    python3 Tests/Parity/test_parity.py [-v] [Parity.test_events ...]
"""
import csv
import json
import os
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import torch
import torch.nn.functional as F
from google.protobuf import text_format
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tensorboard import program
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import graph_pb2
from tensorboard.plugins.hparams import plugin_data_pb2

import networks

PROGRAMS = Path(__file__).resolve().parents[2] / ".build" / "release"
CLASSES = 83
# Networks that read lines, and their options.
LINES = {
    "LineCNNSimple": {},
    "LineCNN": {"width": 28, "stride": 18},
    "LineCNNLSTM": {"width": 28, "stride": 18},
}


def run(program, *arguments, **environment):
    subprocess.run(
        [PROGRAMS / program, *map(str, arguments)], check=True, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Parity(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def batches(self, name):
        generator = torch.Generator().manual_seed(7)
        tensors = {}
        for step in range(10):
            if name in LINES:
                # Lines of 5 to 8 characters; 3 is the padding.
                x = torch.rand(8, 1, 28, 224, generator=generator)
                y = 4 + torch.randint(CLASSES - 4, (8, 8), generator=generator)
                y[torch.arange(8) >= self.lengths.unsqueeze(1)] = 3
            else:
                x = torch.rand(32, 1, 28, 28, generator=generator)
                y = (torch.arange(32) * 7 + step) % CLASSES
            tensors |= {f"x{step}": x, f"y{step}": y}
        save_file(tensors, self.folder / "batches.safetensors")
        return tensors

    lengths = 5 + torch.arange(8) % 4

    def network(self, name):
        model = getattr(networks, name)(CLASSES, **LINES.get(name, {}))
        if name == "ResNet":
            return model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        return model, torch.optim.Adam(model.parameters(), lr=1e-3)

    def loss(self, name, output, labels):
        if name not in LINES or name == "LineCNNSimple":
            return F.cross_entropy(output, labels)
        steps = torch.full((len(output),), output.shape[2])
        return F.ctc_loss(
            output.permute(2, 0, 1).log_softmax(2), labels, steps, self.lengths, zero_infinity=True)

    def logits(self, model, x):
        model.eval()
        with torch.no_grad():
            return model(x)

    def test_models(self):
        for name in ["MLP", "CNN", "ResNet", *LINES]:
            with self.subTest(name):
                self.compare(name)

    def compare(self, name):
        batches = self.batches(name)
        run("parity", name, self.folder)
        torch.manual_seed(42)
        model, optimizer = self.network(name)

        initial = load_file(self.folder / "initial.safetensors")
        self.assertEqual(set(initial), set(model.state_dict()))
        for key, tensor in model.state_dict().items():
            self.assertTrue(torch.equal(initial[key], tensor), f"{name}: initial {key}")

        losses = []
        for step in range(10):
            optimizer.zero_grad()
            loss = self.loss(name, model(batches[f"x{step}"]), batches[f"y{step}"])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        ours = load_file(self.folder / "losses.safetensors")["losses"]
        farthest = (ours - torch.tensor(losses)).abs().max().item()
        self.assertLess(farthest, 1e-4, f"{name}: losses {losses}, ours {ours.tolist()}")

        # Weights saved by us give the same logits in PyTorch.
        model.load_state_dict(load_file(self.folder / "trained.safetensors"))
        ours = load_file(self.folder / "logits.safetensors")["logits"]
        there = self.logits(model, batches["x0"])
        torch.testing.assert_close(ours, there, rtol=1e-4, atol=1e-5)

        # Weights saved by PyTorch give the same logits here: those of another seed, after a step.
        torch.manual_seed(1)
        model, _ = self.network(name)
        model(batches["x1"])
        save_file(model.state_dict(), self.folder / "theirs.safetensors")
        run("parity", name, self.folder, "--weights", self.folder / "theirs.safetensors")
        ours = load_file(self.folder / "logits.safetensors")["logits"]
        back = self.logits(model, batches["x0"])
        torch.testing.assert_close(ours, back, rtol=1e-4, atol=1e-5)
        print(
            f"{name}: initial weights equal, losses within {farthest:.1e}, "
            f"logits within {(ours - back).abs().max().item():.1e}")

    def check_graph(self, graph, model):
        """The network's graph: a node for each parameter, and scopes for layers."""
        nodes = {node.name: node for node in graph.node}
        self.assertEqual(len(nodes), len(graph.node))
        self.assertTrue(all(name in nodes for node in graph.node for name in node.input))

        def shape(name):
            return [dim.size for dim in nodes[name].attr["_output_shapes"].list.shape[0].dim]

        for name, tensor in model.named_parameters():
            node = "CNN/" + name.replace(".", "/")
            self.assertEqual(nodes[node].op, "Parameter")
            self.assertEqual(shape(node), list(tensor.shape))
        # From the output back to the input, each by its first input.
        path = ["output"]
        while nodes[path[-1]].input:
            path.append(nodes[path[-1]].input[0])
        self.assertEqual(path[::-1], [
            "input", "CNN/conv1/conv/conv2d", "CNN/conv1/relu", "CNN/conv2/conv/conv2d",
            "CNN/conv2/relu", "CNN/maxPool/maxPool2d", "CNN/dropout/dropout", "CNN/reshape",
            "CNN/fc1/linear", "CNN/relu", "CNN/fc2/linear", "output"])
        # What PyTorch's network computes from such a batch.
        x = torch.zeros(shape("input"))
        self.assertEqual(list(x.shape), [128, 1, 28, 28])
        self.assertEqual(shape("CNN/conv1/conv/conv2d"), list(model.conv1.conv(x).shape))
        self.assertEqual(shape("output"), list(model(x).shape))

    def served_graph(self, folder):
        """The graph as TensorBoard's server gives it to its tab GRAPHS."""
        server = program.TensorBoard()
        server.configure(
            argv=[None, "--logdir", str(folder), "--host", "127.0.0.1", "--port", "0",
                  "--load_fast", "false"])
        url = server.launch() + "data/plugin/graphs/"
        for _ in range(60):
            with urllib.request.urlopen(url + "info") as reply:
                runs = json.load(reply)
            if runs:
                break
            time.sleep(0.5)
        self.assertEqual([run["run_graph"] for run in runs.values()], [True])
        query = urllib.parse.urlencode({"run": next(iter(runs)), "conceptual": "false"})
        with urllib.request.urlopen(url + "graph?" + query) as reply:
            return text_format.Parse(reply.read(), graph_pb2.GraphDef())

    def test_run(self):
        """A run of `lab train`, broken off and resumed: its checkpoint and its event file."""
        options = [
            "train", "--model_class=CNN", "--conv_dim=8", "--data_source=synthetic",
            "--limit_train_batches=9", "--limit_val_batches=2", "--limit_test_batches=2"]
        places = {"LAB_OUTPUT_DIR": str(self.folder), "LAB_DATA_DIR": str(self.folder / "data")}
        run("lab", *options, "--max_epochs=2", "--log_histograms", "--log_graph", **places)
        run("lab", "train", "--resume", "--max_epochs=3", **places)
        folder = self.folder / "logs" / "CNN-MNIST-SYNTHETIC" / "version_0"

        with safe_open(folder / "last.safetensors", "pt") as file:
            metadata = file.metadata()
        self.assertEqual(metadata["model_class"], "CNN")
        self.assertEqual(metadata["epoch"], "2")
        sizes = {key: int(value) for key, value in json.loads(metadata["model_options"]).items()}
        config = json.loads(metadata["data_config"])
        self.assertEqual(config["input_dims"], [1, 28, 28])
        model = networks.CNN(len(config["mapping"]), **sizes)
        model.load_state_dict(load_file(folder / "last.safetensors"))

        events = EventAccumulator(
            str(folder), size_guidance={"scalars": 0, "images": 0, "histograms": 0, "tensors": 0}
        ).Reload()
        with open(folder / "metrics.csv") as file:
            rows = list(csv.DictReader(file))
        count = 0
        for name in rows[0]:
            if name in ("epoch", "step"):
                continue
            wanted = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
            got = [(event.step, event.value) for event in events.Scalars(name)]
            self.assertEqual([step for step, _ in got], [step for step, _ in wanted], name)
            torch.testing.assert_close(
                torch.tensor([value for _, value in got]),
                torch.tensor([value for _, value in wanted]), rtol=1e-6, atol=0)
            count += len(got)
        self.assertEqual(len(events.Scalars("train_loss_step")), 27)
        self.assertEqual(len(events.Scalars("val_acc")), 3)

        images = events.Images("predictions")
        self.assertEqual([image.step for image in images], [9, 18, 27])
        self.assertTrue(all(i.encoded_image_string.startswith(b"\x89PNG") for i in images))

        # The last histograms of weights are those of the weights that were saved.
        names = [f"{part}/{name}" for part in ("weights", "gradients")
                 for name, _ in model.named_parameters()]
        self.assertEqual(sorted(events.Tags()["histograms"]), sorted(names))
        for name, tensor in model.named_parameters():
            for part in ("weights", "gradients"):
                histograms = events.Histograms(f"{part}/{name}")
                self.assertEqual([histogram.step for histogram in histograms], [9, 18, 27])
            value = events.Histograms(f"weights/{name}")[-1].histogram_value
            elements = tensor.detach().double().flatten()
            self.assertEqual(value.num, len(elements))
            self.assertEqual((value.min, value.max), (elements.min().item(), elements.max().item()))
            self.assertAlmostEqual(value.sum, elements.sum().item(), places=9)
            self.assertAlmostEqual(value.sum_squares, elements.square().sum().item(), places=9)
            limits = torch.tensor(value.bucket_limit, dtype=torch.float64)
            counts = torch.bincount(
                torch.bucketize(elements, limits), minlength=len(limits)).tolist()
            self.assertEqual(value.bucket, counts)

        self.check_graph(events.Graph(), model)
        self.check_graph(self.served_graph(folder), model)

        contents = events.PluginTagToContent("hparams")
        data = plugin_data_pb2.HParamsPluginData.FromString(contents["_hparams_/session_start_info"])
        hparams = data.session_start_info.hparams
        self.assertEqual(hparams["conv_dim"].number_value, 8)
        self.assertEqual(hparams["optimizer"].string_value, "Adam")
        data = plugin_data_pb2.HParamsPluginData.FromString(contents["_hparams_/session_end_info"])
        self.assertEqual(data.session_end_info.status, 1)
        print(
            f"Events: {count} scalars, {len(images)} images, {len(names)} histograms, "
            f"{len(hparams)} hyperparameters and a graph of {len(events.Graph().node)} nodes read")


if __name__ == "__main__":
    unittest.main()
