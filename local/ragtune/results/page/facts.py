"""What a reader must know of a study before its figures: model, date, data, training, machine."""

import datetime

from ragtune.recipe.tune import Tune
from ragtune.results.engine import names
from ragtune.results.schema import Results, Training
from ragtune.results.wording import brief, recall


def facts(results: Results) -> list[tuple[str, str]]:
    """Names and values, in the order in which they are shown."""
    found = [
        ("Model", _model(results)),
        ("Date", _date(results.finished)),
        ("Data", _data(results)),
        ("Documents", _documents(results)),
        ("Training", _training(results)),
        ("Machine", _machine(results)),
    ]
    return [(name, value) for name, value in found if value]


def _model(results: Results) -> str:
    if there := results.full_size:
        return f"{there.model} at {there.target}"
    if used := results.engine:
        return f"{names(used)} at {used.url}"
    name = results.recipe.filled.model.local
    trained = next(iter(results.tune.values()), None)
    return f"{name}, {_count(trained.parameters)} parameters" if trained else name


def _count(number: int) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number}"


def _date(finished: str) -> str:
    try:
        when = datetime.datetime.fromisoformat(finished)
    except ValueError:
        return ""
    return f"{when.day} {when:%B %Y}"


def _data(results: Results) -> str:
    asked = f"{results.questions:,} questions held out"
    if results.unanswerable:
        asked += f", {results.unanswerable:,} of them without an answer in the documents"
    return f"{results.data.train:,} records to learn from; {asked}"


def _documents(results: Results) -> str:
    index = results.index
    return f"{index.documents:,} documents in {index.chunks:,} passages" if index else ""


def _training(results: Results) -> str:
    """The settings, and what each adapter came to."""
    if not results.tune:
        return ""
    recipe = results.recipe.filled
    told, seeds = list[str](), recipe.study.seeds
    for name, done in results.tune.items():
        settings = _settings(recipe.tune, done)
        batch = settings.per_device_train_batch_size * settings.gradient_accumulation_steps
        if (words := _layout(settings)) not in told:
            told.append(words)
        steps = f"{len(done.steps):,} steps of {batch} sample{'s' * (batch != 1)}"
        told.append(f"{name} {steps}, {brief(done.seconds)} s")
    if seeds > 1:
        told.append(f"each with {seeds} seeds")
    if known := recall(results.recall):
        told.append(known)
    return "; ".join(told)


def _settings(asked: Tune, done: Training) -> Tune:
    """The settings that an adapter was trained with: those asked for, or what a search found."""
    used = (done.model_extra or {}).get("settings") or {}
    known = {name: value for name, value in used.items() if name in Tune.model_fields}
    return Tune.model_validate({**asked.model_dump(), **known})


def _layout(settings: Tune) -> str:
    layers = settings.target_modules.replace(",", ", ")
    return (
        f"{settings.epoch} epoch{'s' * (settings.epoch != 1)}, learning rate "
        f"{settings.learning_rate:g}; LoRA of rank {settings.lora_r} on {layers}"
    )


def _machine(results: Results) -> str:
    told = results.environment
    parts = [str(told[key]) for key in ("name", "device") if told.get(key)]
    if cores := told.get("cores"):
        parts.append(f"{cores} cores")
    return ", ".join(parts)
