"""How a small network of transformers is made, and the sizes and inputs that many have in common."""

from collections.abc import Callable
from typing import Any

from entry import DYNAMO, NEWEST, OLDER, Entry, Input

ALL = (OLDER, DYNAMO, NEWEST)
SIZES = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
WORDS = {"vocab_size": 200, "max_position_embeddings": 64, **SIZES}
STAGES = {"depths": [1, 1, 1, 1], "hidden_sizes": [16, 32, 48, 64]}
IDS = Input("input_ids", (16,), "ids:200")
MASK = Input("attention_mask", (16,), "mask")


def pixels(side: int = 64) -> Input:
    return Input("pixel_values", (3, side, side))


def small(
    name: str,
    class_name: str,
    config: Callable[[Any], Any],
    inputs: tuple[Input, ...] | Input,
    outputs: tuple[str, ...] | str = "last_hidden_state",
    eager: bool = False,
    pick: Callable[..., Any] | None = None,
    exporters: tuple[str, ...] = ALL,
) -> list[Entry]:
    """The entry, and where `eager` is true another with the attention that is written out as products and softmax.

    config      makes the configuration; it is given the package
    outputs     the fields of the result that become outputs
    pick        makes them of the module and its inputs instead
    """
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    fields = outputs if isinstance(outputs, tuple) else (outputs,)

    def build(attention: str | None):
        import transformers

        cls = getattr(transformers, class_name)
        configuration = config(transformers)
        network = cls._from_config(configuration, attn_implementation=attention) if attention else cls(configuration)
        if hasattr(network.config, "use_cache"):
            network.config.use_cache = False
        return network.eval()

    def call(network, *arrays):
        given = network(**dict(zip((input.name for input in inputs), arrays, strict=True)), return_dict=True)
        return [getattr(given, field) for field in fields]

    default = Entry(name, inputs, lambda: build(None), exporters, call=pick or call, spread=True)
    if not eager:
        return [default]
    return [
        default,
        Entry(f"{name}_eager", inputs, lambda: build("eager"), (OLDER, DYNAMO), call=pick or call, spread=True),
    ]
