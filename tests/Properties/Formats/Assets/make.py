"""Makes the files of numpy and PyTorch that the tests read: python3 make.py, beside this file."""
import json
import pathlib
import struct

import numpy as np
import torch
from torch import nn

here = pathlib.Path(__file__).parent


def arrays():
    base = ((np.arange(6) - 2) / 4).reshape(2, 3)
    integers = np.arange(6).reshape(2, 3)
    return {
        "f8": base,
        "f4": base.astype("<f4"),
        "f2": base.astype("<f2"),
        "fortran": np.asfortranarray(base),
        "i8": integers.astype("<i8"),
        "i2": integers.astype("<i2"),
        "u1": integers.astype("|u1"),
        "truth": np.array([True, False, True]),
        "scalar": np.float64(7.5),
        "empty": np.zeros((0, 3), "<f4"),
    }


def save_version(name, array, version):
    with open(here / name, "wb") as file:
        np.lib.format.write_array(file, array, version=version)


np.savez_compressed(here / "numpy.npz", **arrays())
single = arrays()["f4"]
np.save(here / "f4.npy", single)
np.save(here / "fortran.npy", np.asfortranarray(single))
save_version("version2.npy", single, (2, 0))
save_version("version3.npy", single, (3, 0))


def safetensors(path, tensors):
    """Writes the format by hand, in the order given."""
    kinds = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32"}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        array = tensor.detach().contiguous()
        raw = array.view(torch.int16).numpy() if array.dtype == torch.bfloat16 else array.numpy()
        header[name] = {"dtype": kinds[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + raw.nbytes]}
        data += raw.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def save(name, model, example, kind=torch.float32):
    """The weights, rounded to a kind of number, with an input and what the model makes of it."""
    state = {key: value.to(kind) if value.is_floating_point() else value for key, value in model.state_dict().items()}
    model.load_state_dict({key: value.float() if value.is_floating_point() else value for key, value in state.items()})
    model.eval()
    with torch.no_grad():
        output = model(example)
    safetensors(here / f"{name}.safetensors", state)
    safetensors(here / f"{name}-example.safetensors", {"input": example, "output": output})


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 5)
        self.lstm = nn.LSTM(5, 7, num_layers=2, batch_first=True)
        self.head = nn.Linear(7, 12)

    def forward(self, ids):
        return self.head(self.lstm(self.embed(ids))[0])


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 6, batch_first=True)

    def forward(self, x):
        return self.gru(x)[0]


torch.manual_seed(1)
mlp = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
for _ in range(5):
    mlp(torch.randn(16, 6) * 2 + 1)
save("mlp", mlp, torch.randn(4, 6))

lenet = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
)
save("lenet", lenet, torch.randn(2, 1, 28, 28), torch.float16)
save("lstm", Recurrent(), torch.randint(0, 12, (3, 6)))
save("gru", Gated(), torch.randn(2, 5, 4))
encoder = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, batch_first=True)
for parameter in encoder.parameters():
    nn.init.normal_(parameter, std=0.3)
save("encoder", encoder, torch.randn(2, 5, 8), torch.bfloat16)
np.savez_compressed(here / "mlp.npz", **{key: value.numpy() for key, value in mlp.state_dict().items()})
