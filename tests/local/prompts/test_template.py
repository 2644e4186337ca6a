from ragtune.prompts.template import CHAT, Template


def test_the_hash_changes_with_every_part() -> None:
    hashes = {
        Template().hash,
        Template(prompt="{instruction}").hash,
        Template(completion=" {response}").hash,
        Template(separator="\n").hash,
        Template(passage="{text}").hash,
        Template(format=CHAT).hash,
        Template(format=CHAT, system="").hash,
        Template(format=CHAT, system="Be brief.").hash,
    }
    assert len(hashes) == 8


def test_adapters_of_the_instruction_form_stay_valid() -> None:
    before = "8e4566d68e388294b1b4f6ea5d01fe77a3401f9722fac6a889d8f3494f018c88"
    assert Template().hash == before
