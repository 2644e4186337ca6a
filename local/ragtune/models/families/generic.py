"""Any causal language model of transformers of which nothing else is known.

Nothing is assumed: rows are padded, the loss is taken on the model's own logits, and prompts are
answered one by one by transformers' ``generate``. What LoRA may name is looked up in the model.
"""

import functools
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import ModelError
from ragtune.models.families.base import Decoder

if TYPE_CHECKING:
    import torch

ALLOWED = "allowed: causal language models that transformers has, for text alone"
SENSES = ("vision", "audio", "speech", "image")
"""In names of a configuration's parts: the model reads pictures or sounds."""
ROUTERS = frozenset({"gate", "router", "shared_expert_gate"})
"""Layers that choose among experts: LoRA on them would change who answers, not what is said."""


class Generic(Decoder):
    """A family made for one configuration."""

    together = False

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Look at a ``config.json``.

        Raises ModelError where it is not of a causal language model that transformers has.
        """
        self.name = str(config.get("model_type") or "unknown")
        self._config = dict(config)
        if why := _refusal(config):
            raise ModelError(f"{why}; {ALLOWED}")

    @functools.cached_property
    def targets(self) -> tuple[str, ...]:  # type: ignore[override]  # looked up, not written down
        """The linear layers of the decoder's blocks, by the last part of their names."""
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        given = {k: v for k, v in self._config.items() if k != "quantization_config"}
        try:
            config = type(AutoConfig.for_model(self.name)).from_dict(given)
            with torch.device("meta"):
                model = AutoModelForCausalLM.from_config(config)
        except Exception as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelError(f"a {self.name} that transformers cannot build: {why}") from None
        return linear_layers(model)

    def backbone(self, model: Any) -> Any:
        """The whole model, up to what its head is given."""
        head = _head(model, self.name)
        known = inspect.signature(model.forward).parameters

        def run(**inputs: Any) -> SimpleNamespace:
            # Parts start at 0 and are padded behind: a model's own positions are these.
            given = {name: value for name, value in inputs.items() if name != "position_ids"}
            if "use_cache" not in known:
                given.pop("use_cache", None)
            seen: list[torch.Tensor] = []

            def take(module: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
                seen.append(arguments[0])
                return (arguments[0][:, :1],)  # its logits are thrown away

            with _before(head, take):
                model(**given)
            if len(seen) != 1:
                raise ModelError(f"{self.name} computes its logits in a way that is not known")
            return SimpleNamespace(last_hidden_state=seen[0])

        return lambda input_ids, **inputs: run(input_ids=input_ids, **inputs)

    def head(self, model: Any) -> None:
        """Nothing is known of what happens to the products."""
        return

    def logits(self, model: Any, hidden: "torch.Tensor") -> "torch.Tensor":
        """The model's own, whatever it does to them: it reads a token, its head ``hidden``."""
        import torch

        ids = torch.zeros((1, 1), dtype=torch.long, device=hidden.device)
        rows = hidden.reshape(1, -1, hidden.shape[-1])
        with _before(_head(model, self.name), lambda module, arguments: (rows,)):
            found: torch.Tensor = model(input_ids=ids).logits
        return found.reshape(*hidden.shape[:-1], found.shape[-1])


def linear_layers(model: Any) -> tuple[str, ...]:
    """The linear layers of a model's blocks, by the last part of their names, in its order."""
    import torch
    from transformers.pytorch_utils import Conv1D

    found: dict[str, None] = {}
    for path, module in model.named_modules():
        *above, name = path.split(".")
        if isinstance(module, torch.nn.Linear | Conv1D) and any(part.isdigit() for part in above):
            found[name] = None
    outside = {
        path.split(".")[-1]
        for path, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not any(p.isdigit() for p in path.split("."))
    }
    return tuple(name for name in found if name not in ROUTERS | outside and not name.isdigit())


def _head(model: Any, name: str) -> Any:
    head = model.get_output_embeddings()
    if head is None:
        raise ModelError(f"{name} names no output layer; {ALLOWED}")
    return head


@contextmanager
def _before(module: Any, hook: Any) -> Iterator[None]:
    """Let a module's arguments be what ``hook`` makes of them."""
    handle = module.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def _refusal(config: Mapping[str, Any]) -> str | None:
    """Why a configuration is not of a causal language model that is loaded here."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    kind = config.get("model_type")
    if not kind:
        return "a configuration without model_type"
    usual = _usual(kind) if kind in CAUSAL else None
    if config.get("is_encoder_decoder", getattr(usual, "is_encoder_decoder", False)):
        return f"a model of type {kind}, an encoder with a decoder"
    parts = [*getattr(usual, "sub_configs", {}), *(p for p in config if config[p] is not None)]
    if any(sense in part for part in parts if part.endswith("_config") for sense in SENSES):
        return f"a model of type {kind}, which reads more than text"
    if kind in CAUSAL:
        both_ways = kind in MASKED and not config.get("is_decoder")
        return f"a model of type {kind}, which reads a text both ways" if both_ways else None
    if config.get("auto_map"):
        return f"a model of type {kind}, whose code is in its folder and is not run"
    return f"a model of type {kind}, which is no causal language model of transformers"


def _usual(kind: str) -> Any:
    """The configuration of a type as transformers makes it by itself; None where it cannot."""
    from transformers import CONFIG_MAPPING

    try:
        return CONFIG_MAPPING[kind]()
    except Exception:  # whatever a configuration needs that is not given
        return None
