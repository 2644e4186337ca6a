"""The losses of a training run, epoch by epoch, as text."""

from ragtune.results.schema import Training


def render(training: Training, adapter: str) -> str:
    """A row an epoch of an adapter; the one whose adapter was kept is marked."""
    lines = [f"{adapter}:", "epoch  train loss  validation loss  learning rate"]
    for epoch in training.epochs:
        validated = "-" if epoch.eval_loss is None else f"{epoch.eval_loss:.4f}"
        kept = "  kept" if epoch.epoch == training.best_epoch else ""
        lines.append(
            f"{epoch.epoch:5d}  {epoch.train_loss:10.4f}  {validated:>15}  "
            f"{epoch.learning_rate:13.2e}{kept}"
        )
    lines.append(
        f"{training.trainable_parameters:,} of {training.parameters:,} parameters, "
        f"{training.seconds:.1f} s, {training.supervised_tokens_a_second:.0f} supervised "
        "tokens a second"
    )
    return "\n".join([*lines, *training.substitutions])
