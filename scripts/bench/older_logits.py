"""The logits of an exported folder, by whatever transformers runs this: FOLDER ROWS.json OUT.npy.

It is run in an environment of its own and imports nothing of ragtune's. Prints the version, the
theta that was read, and the token ids of the prompts that the chat template makes.
"""

import json
import sys

import numpy as np
import torch
import transformers


def main(folder: str, rows: str, out: str) -> None:
    """Write the logits of all rows, one under the other, in fp32."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with open(rows, encoding="utf-8") as file:  # noqa: PTH123
        said = json.load(file)
    with torch.inference_mode():
        found = [model.eval()(torch.tensor([row])).logits[0].numpy() for row in said["rows"]]
    np.save(out, np.concatenate(found))
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": turn}], add_generation_prompt=True, tokenize=True
        )
        for turn in said["turns"]
    ]
    theta = getattr(model.config, "rope_theta", None)
    print(json.dumps({"version": transformers.__version__, "theta": theta, "prompts": prompts}))


if __name__ == "__main__":
    main(*sys.argv[1:])
