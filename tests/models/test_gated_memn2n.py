"""The gated network against its equations in loops, and what its gates do at their ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babi_memnet.errors import RequestError
from babi_memnet.models.encodings import counted
from babi_memnet.models.gated_memn2n import GatedMemN2N, Settings
from babi_memnet.models.memn2n import MemN2N
from babi_memnet.models.memn2n import Settings as MemN2NSettings
from babi_memnet.models.network import Shape
from tests.models.test_controllers import batch

SHAPE = Shape(words=12, slots=5, positions=3)


def network(**changes: object) -> GatedMemN2N:
    model = GatedMemN2N(Settings(dimension=4, initial_deviation=0.7, **changes), SHAPE)
    model.initialise(np.random.default_rng(2))
    for values in model.gate_biases:
        values.data.normal_(generator=torch.Generator().manual_seed(5))
    return model.requires_grad_(False)


@pytest.mark.parametrize("gates", ["per_hop", "shared"])
@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
def test_a_hop_takes_from_what_was_read_as_far_as_its_gate_is_open(gates: str, tying: str):
    """u' = o T + u (1 - T), T = sigmoid(W u + b), dimension by dimension; what is read is that of MemN2N."""
    model, asked = network(gates=gates, tying=tying), batch()
    walk = model.walk(asked)
    memory = MemN2N(MemN2NSettings(dimension=4, tying=tying), SHAPE).requires_grad_(False)
    memory.load_state_dict({key: values for key, values in model.state_dict().items() if not key.startswith("gate_")})
    for hop in range(3):
        state = walk.carried[hop].numpy()
        place = hop if gates == "per_hop" else 0
        weights, bias = model.gate_weights[place].numpy(), model.gate_biases[place].numpy()
        kept = state if tying == "adjacent" else state @ model.hop_map.numpy().T
        read = read_by(memory, asked, walk.attention[hop], hop)
        for place in range(len(state)):
            gate = 1 / (1 + np.exp(-(weights @ state[place] + bias)))
            expected = read[place] * gate + kept[place] * (1 - gate)
            np.testing.assert_allclose(walk.carried[hop + 1][place].numpy(), expected, rtol=1e-4, atol=1e-5)


def read_by(memory: MemN2N, asked: object, attention: torch.Tensor, hop: int) -> np.ndarray:
    """o of a hop with this attention, [B, d]."""
    counts = counted(asked.words, memory.counting, SHAPE.words)
    outputs = memory.embed(memory.tying.output[hop], counts, asked.ages) * asked.told.unsqueeze(-1)
    return torch.einsum("bm,bmd->bd", attention, outputs).numpy()


def test_shared_gates_are_one_and_a_trace_says_how_far_they_are_open():
    assert (len(network(gates="shared").gate_weights), len(network().gate_weights)) == (1, 3)
    model, asked = network(), batch()
    for hop, step in enumerate(model.trace(asked).steps):
        ((name, values),) = step.numbers
        gate = model.gate(hop, model.walk(asked).carried[hop])
        torch.testing.assert_close(values, gate.mean(dim=-1))
        assert "share" in name


def test_bad_settings_are_refused_by_name():
    with pytest.raises(RequestError, match=r"^model\.gates=some: expected "):
        Settings(gates="some")
