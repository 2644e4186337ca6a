"""Base + adapter → what leaves: a 16-bit Hugging Face folder or a GGUF, and how far it drifted.

The merge is done in fp32 and rounded once. What was written is read back before it counts, and
compared with base and adapter on the held-out rows.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ragtune.core import moves
from ragtune.core.errors import ModelError, RunError
from ragtune.core.files import write_json, write_text
from ragtune.models.adapter import check_adapter
from ragtune.models.families.base import ModelFamily
from ragtune.models.folder import check_weights, family_at
from ragtune.models.load import FROM_FOLDER, quiet_libraries
from ragtune.tuning.handover import card
from ragtune.tuning.handover.companions import Companions, ends_of
from ragtune.tuning.handover.older import TEMPLATE, rewrite

BOUND = 0.05
"""Nats: the most that a next token's log-probability may change on average."""
NOTE = "ragtune.json"
MODELFILE = "Modelfile"
README = "README.md"
LORA = "lora"
KINDS = ("f16", "q8_0", LORA)
"""What a GGUF can hold: the merged model in either precision, or the adapter alone."""


@dataclass(frozen=True)
class Drift:
    """How the merged 16-bit model differs from base and adapter in fp32.

    ``mean_nats`` and ``max_nats`` are absolute differences of the actual next token's
    log-probability, ``max_logit`` is the largest difference of any logit, ``same_choice`` the share
    of positions with the same most likely token.
    """

    mean_nats: float
    max_nats: float
    max_logit: float
    same_choice: float
    tokens: int

    def __str__(self) -> str:
        return (
            f"drift over {self.tokens} tokens: {self.mean_nats:.4f} nats a token on average, "
            f"{self.max_nats:.4f} at most; logits {self.max_logit:.3f} at most; same choice "
            f"{self.same_choice:.1%}"
        )


def export(
    base: Path,
    adapter: Path,
    folder: Path,
    *,
    dtype: str,
    template_hash: str,
    tokenizer: Any,
    rows: Sequence[list[int]],
    about: Companions | None = None,
) -> Drift:
    """Write the merged model and its tokenizer to ``folder``; ``rows`` of token ids measure it.

    ``about`` gives it a README and the run's prompt as chat template.

    Needs memory for the model in fp32, once and a half.

    Raises ModelError where no family knows the base, the adapter does not belong, and where the
    drift is over ``BOUND``: nothing is left then. RunError where the folder holds something else.
    """
    with _merging(base, adapter, folder, template_hash) as (family, model, fresh):
        expected = [_logits(model, row) for row in rows]
        merged = model.merge_and_unload().to(getattr(torch, dtype))
        merged.save_pretrained(fresh)
        ends = _ends(tokenizer, merged.config, merged.generation_config, about)
        head = merged.get_output_embeddings()
        ties = head is not None and head.weight is merged.get_input_embeddings().weight
        del model, merged
        tokenizer.save_pretrained(fresh)
        template = about.dialogue.jinja() if about and about.dialogue else ""
        rewrite(fresh, ties=ties, stops=ends, chat_template=template)
        drift = _drift(_load(fresh, family), rows, expected)
        _refuse(drift, folder, "--dtype")
        if about:
            write_text(fresh / README, card.folder_card(about, str(drift)))
        note = {"template_hash": template_hash, "dtype": dtype, "drift": asdict(drift)}
        write_json(fresh / NOTE, note)
    return drift


def export_gguf(
    base: Path,
    adapter: Path,
    folder: Path,
    *,
    kind: str,
    template_hash: str,
    tokenizer: Any,
    rows: Sequence[list[int]],
    about: Companions,
) -> Drift:
    """Write the merged model as one GGUF of ``kind`` to ``folder``, with Ollama's Modelfile.

    Raises ModelError and RunError as ``export`` does, and for a model or a tokenizer that llama.cpp
    does not know.
    """
    from ragtune.tuning.handover.llama_cpp.architecture import architecture_of, library
    from ragtune.tuning.handover.llama_cpp.model import read_into, write_model

    library()
    with _merging(base, adapter, folder, template_hash) as (_, model, fresh):
        architecture_of(model.config)
        vocabulary, said = _gguf_header(model, tokenizer, fresh, about)
        expected = [_logits(model, row) for row in rows]
        merged = model.merge_and_unload()
        file = f"{about.name}-{kind}.gguf"
        write_model(merged, vocabulary, said, fresh / file, kind)
        read_into(merged, fresh / file)
        drift = _drift(merged, rows, expected)
        _refuse(drift, folder, "--gguf")
        _beside_gguf(fresh, f"./{file}", said, tokenizer, about)
        write_text(fresh / README, card.gguf_card(about, str(drift), file))
        note = {"template_hash": template_hash, "gguf": kind, "drift": asdict(drift)}
        write_json(fresh / NOTE, note)
    return drift


def export_lora(
    base: Path,
    adapter: Path,
    folder: Path,
    *,
    template_hash: str,
    tokenizer: Any,
    about: Companions,
) -> None:
    """Write the adapter alone as GGUF to ``folder``, with Ollama's Modelfile.

    Raises ModelError and RunError as ``export_gguf`` does.
    """
    from transformers import AutoConfig, GenerationConfig

    from ragtune.tuning.handover.llama_cpp.architecture import library
    from ragtune.tuning.handover.llama_cpp.lora import write_adapter
    from ragtune.tuning.handover.modelfile import modelfile

    library()
    check_adapter(adapter, template_hash)
    config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    with _written(folder) as fresh:
        fresh.mkdir()
        file = f"{about.name}-lora.gguf"
        write_adapter(adapter, config, fresh / file, name=about.name, base=about.base)
        generation = GenerationConfig.from_model_config(config)
        if (base / "generation_config.json").is_file():
            generation = GenerationConfig.from_pretrained(base, local_files_only=True)
        ends = tokenizer.convert_ids_to_tokens(_ends(tokenizer, config, generation, about))
        if about.dialogue is not None:
            write_text(fresh / TEMPLATE, about.dialogue.jinja())
        text = modelfile("BASE.gguf", about, ends, adds_bos=_adds_bos(tokenizer, about))
        write_text(fresh / MODELFILE, text.replace("\n", f"\nADAPTER ./{file}\n", 1))
        write_text(fresh / README, card.adapter_card(about, file))
        write_json(fresh / NOTE, {"template_hash": template_hash, "gguf": "lora"})


def _ends(tokenizer: Any, config: Any, generation: Any, about: Companions | None) -> Any:
    """All tokens that end an answer, the tokenizer's first, as `TorchEngine` has them."""
    named = (getattr(said, "eos_token_id", None) for said in (tokenizer, config, generation))
    return ends_of(*named, about.stops if about else ())


def _gguf_header(model: Any, tokenizer: Any, fresh: Path, about: Companions) -> tuple[Any, Any]:
    """The tokenizer as GGUF has it, and what the file says beside its weights."""
    from ragtune.tuning.handover.llama_cpp.model import About
    from ragtune.tuning.handover.llama_cpp.vocabulary import vocabulary_of

    fresh.mkdir()
    tokenizer.save_pretrained(fresh)
    vocabulary = vocabulary_of(fresh, model.config.vocab_size)
    for path in fresh.iterdir():
        path.unlink()
    special = {name: getattr(tokenizer, f"{name}_token_id") for name in ("bos", "unk", "pad")}
    said = About(
        name=about.name,
        base=about.base,
        licence=about.licence,
        ends=_ends(tokenizer, model.config, model.generation_config, about),
        special={name: number for name, number in special.items() if number is not None},
        adds_bos=_adds_bos(tokenizer, about),
        chat_template=about.dialogue.jinja() if about.dialogue else "",
    )
    return vocabulary, said


def _beside_gguf(fresh: Path, source: str, said: Any, tokenizer: Any, about: Companions) -> None:
    from ragtune.tuning.handover.modelfile import modelfile

    ends = tokenizer.convert_ids_to_tokens(said.ends)
    write_text(fresh / MODELFILE, modelfile(source, about, ends, adds_bos=said.adds_bos))


def _adds_bos(tokenizer: Any, about: Companions) -> bool:
    """Whether an engine has to put BOS before a text."""
    bos = tokenizer.bos_token_id
    by_itself = bos is not None and list(tokenizer("")["input_ids"][:1]) == [bos]
    return bool(by_itself or (about.dialogue and about.dialogue.adds_bos))


@contextmanager
def _merging(
    base: Path, adapter: Path, folder: Path, template_hash: str
) -> Iterator[tuple[ModelFamily, Any, Path]]:
    """The base with its adapter in fp32, and a folder that takes the place of ``folder``."""
    from peft import PeftModel

    quiet_libraries()
    check_adapter(adapter, template_hash)
    with _written(folder) as fresh:
        family = family_at(base)
        check_weights(base)
        yield family, PeftModel.from_pretrained(_load(base, family), str(adapter)).eval(), fresh


@contextmanager
def _written(folder: Path) -> Iterator[Path]:
    """A name beside ``folder`` that takes its place when all is well, and is gone otherwise.

    Raises RunError where the folder holds something that no export wrote.
    """
    ours = (folder / NOTE).exists() and not (folder / "adapter_config.json").exists()
    if folder.exists() and not ours and any(folder.iterdir()):
        raise RunError(f"{folder}: holds something else; name an empty folder with --to")
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.parent.mkdir(parents=True, exist_ok=True)
        yield fresh
        moves.remove_folder(folder)
        moves.replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _refuse(drift: Drift, folder: Path, option: str) -> None:
    if not drift.mean_nats <= BOUND:  # also where it is not a number
        raise ModelError(
            f"{folder}: not written: {drift}, over {BOUND} on average; take another {option}"
        )


def _load(folder: Path, family: ModelFamily) -> Any:
    return family.load(folder, dtype=torch.float32, **FROM_FOLDER).eval()


@torch.inference_mode()
def _logits(model: Any, row: list[int]) -> torch.Tensor:
    logits: torch.Tensor = model(torch.tensor([row])).logits[0, :-1]
    return logits


def _drift(model: Any, rows: Sequence[list[int]], expected: Sequence[torch.Tensor]) -> Drift:
    nats, largest, same = [], 0.0, 0
    for row, before in zip(rows, expected, strict=True):
        after = _logits(model, row)
        targets = torch.tensor(row[1:])[:, None]
        change = after.log_softmax(-1).gather(1, targets) - before.log_softmax(-1).gather(
            1, targets
        )
        nats.append(change[:, 0].abs())
        largest = max(largest, float((after - before).abs().max()))
        same += int((after.argmax(-1) == before.argmax(-1)).sum())
    everything = torch.cat(nats)
    return Drift(
        mean_nats=float(everything.mean()),
        max_nats=float(everything.max()),
        max_logit=largest,
        same_choice=same / len(everything),
        tokens=len(everything),
    )
