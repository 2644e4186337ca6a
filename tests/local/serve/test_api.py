import json
import math
from typing import Any

import httpx
import openai
import pytest

from tests.local.serve.conftest import Served

QUESTION = "How often does the bell ring?"


def asked(served: Served, address: str, **body: Any) -> httpx.Response:
    with served.client() as client:
        return client.post(address, json=body)


def events(response: httpx.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_the_arms_are_models(served: Served) -> None:
    with served.client() as client:
        listed = client.get("/v1/models").json()
        assert [m["id"] for m in listed["data"]] == ["base", "tuned", "rag", "tuned+rag"]
        assert [m["id"] for m in listed["data"] if m["default"]] == [served.session.default]
        assert not any(m["recommended"] for m in listed["data"])  # four questions tell nothing
        assert client.get("/v1/models/tuned+rag").json()["id"] == "tuned+rag"
        assert client.get("/v1/models/gpt").status_code == 404


def test_an_answer_has_its_sources_beside_the_message(served: Served) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    said = asked(served, "/v1/chat/completions", model="rag", messages=messages).json()
    (choice,) = said["choices"]
    assert choice["message"] == {"role": "assistant", "content": said["ragtune"]["text"]}
    assert choice["finish_reason"] in ("stop", "length")
    assert choice["sources"][0]["document"] == "fog.md"
    assert choice["sources"][0]["key"]
    assert said["usage"]["prompt_tokens"] > 10
    assert said["ragtune"]["index"]["documents"] == 6
    assert said["ragtune"]["arm"] == said["model"] == "rag"
    assert said["ragtune"]["ignored"] == 0
    base = asked(served, "/v1/chat/completions", model="base", messages=messages).json()
    assert base["ragtune"]["index"] is None
    assert base["choices"][0]["sources"] == []


def test_a_stream_is_the_answer_in_pieces_and_ends_with_its_sources(served: Served) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    whole = asked(served, "/v1/chat/completions", model="rag", messages=messages).json()
    streamed = asked(
        served,
        "/v1/chat/completions",
        model="rag",
        messages=messages,
        stream=True,
        stream_options={"include_usage": True},
    )
    assert streamed.headers["content-type"].startswith("text/event-stream")
    *pieces, last, usage = events(streamed)
    assert pieces[0]["choices"][0]["delta"]["role"] == "assistant"
    text = "".join(piece["choices"][0]["delta"]["content"] for piece in pieces)
    assert text.strip() == whole["choices"][0]["message"]["content"]
    assert last["choices"][0]["sources"] == whole["choices"][0]["sources"]
    assert last["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert last["ragtune"]["first_milliseconds"] > 0
    assert last["ragtune"]["ignored"] == 1
    assert usage["usage"] == whole["usage"]


def test_completions_answer_several_prompts_each_for_itself(served: Served) -> None:
    prompts = [QUESTION, "What does soup cost?"]
    both = asked(served, "/v1/completions", model="rag", prompt=prompts).json()
    assert [choice["sources"][0]["document"] for choice in both["choices"]] == [
        "fog.md",
        "canteen.md",
    ]
    for prompt, choice in zip(prompts, both["choices"], strict=True):
        alone = asked(served, "/v1/completions", model="rag", prompt=prompt).json()
        assert alone["choices"][0]["text"] == choice["text"]
    streamed = asked(served, "/v1/completions", model="rag", prompt=QUESTION, stream=True)
    *pieces, last = events(streamed)
    assert "".join(p["choices"][0]["text"] for p in pieces).strip() == both["choices"][0]["text"]
    assert last["choices"][0]["sources"] == both["choices"][0]["sources"]


def test_an_answer_is_as_short_as_is_wanted(served: Served) -> None:
    short = asked(served, "/v1/completions", model="base", prompt="Where?", max_tokens=2).json()
    assert short["usage"]["completion_tokens"] == 2
    assert short["choices"][0]["finish_reason"] == "length"


def test_embeddings_are_those_of_the_index(served: Served) -> None:
    found = asked(served, "/v1/embeddings", input=["fog", "soup"], model="any").json()
    vectors = [row["embedding"] for row in found["data"]]
    assert [round(math.hypot(*vector), 4) for vector in vectors] == [1.0, 1.0]
    assert len(vectors[0]) == served.session.opened.materials.embedder.dimension


@pytest.mark.parametrize(
    ("address", "body", "status", "said"),
    [
        ("/v1/chat/completions", {"messages": []}, 400, "messages"),
        ("/v1/chat/completions", {"messages": [{"role": "system"}]}, 400, "must be the user's"),
        ("/v1/chat/completions", {"messages": [{"role": "user"}]}, 400, "question is empty"),
        ("/v1/completions", {"prompt": "x", "model": "gpt-4"}, 404, "this server has base"),
        ("/v1/completions", {"prompt": "x", "n": 2}, 400, "n: "),
        ("/v1/completions", {"prompt": "x" * 5000}, 400, "5000 characters; allowed are 4000"),
        ("/v1/completions", {"prompt": ["x"] * 17}, 400, "1 to 16"),
        ("/v1/embeddings", {"input": [[1, 2]]}, 400, "input"),
        ("/v1/embeddings", {"input": ""}, 400, "is empty"),
        ("/search", {"question": "x", "mode": "magic"}, 400, "dense, keyword, hybrid"),
        ("/search", {"question": "x", "top_k": 99}, 400, "1 to 50"),
        ("/search", {"question": "x", "where": ["size=1"]}, 400, "FIELD=VALUE"),
        ("/search", {"q": "x"}, 400, "question"),
        ("/passage", {"key": "unknown"}, 409, "ask again"),
        ("/v1/completions", {"prompt": "x" * 300_000}, 413, "longer than"),
    ],
)
def test_what_cannot_be_done_is_said_in_openais_form(
    served: Served, address: str, body: dict[str, Any], status: int, said: str
) -> None:
    response = asked(served, address, **body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]


def test_a_body_that_is_no_json_is_refused(served: Served) -> None:
    with served.client() as client:
        headers = {"content-type": "application/json"}
        assert client.post("/search", content=b"{", headers=headers).status_code == 400
        assert client.post("/nothing", json={}).status_code == 404
        assert client.get("/page/../app.py").status_code == 404


def test_openais_client_is_content(served: Served) -> None:
    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="none")
    asked: Any = [{"role": "user", "content": QUESTION}]
    answer = client.chat.completions.create(model="rag", messages=asked)
    stream: Any = client.chat.completions.create(model="rag", messages=asked, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text.strip() == answer.choices[0].message.content
    assert [model.id for model in client.models.list()] == list(served.session.arms)
    (vector,) = client.embeddings.create(model="any", input="fog").data
    assert math.isclose(math.hypot(*vector.embedding), 1, abs_tol=1e-4)
    with pytest.raises(openai.NotFoundError, match="this server has"):
        client.chat.completions.create(model="gpt-4", messages=asked)
    client.close()


def test_llama_index_asks_an_arm(served: Served) -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    arm = OpenAILike(model="rag", api_base=f"{served.url}/v1", api_key="none", is_chat_model=True)
    whole = served.session.ask(QUESTION, "rag")
    message = ChatMessage(role="user", content=QUESTION)
    answer = arm.chat([message])
    assert (answer.message.content or "") == whole["text"]
    raw: Any = answer.raw
    assert raw.choices[0].sources[0]["document"] == "fog.md"
    streamed = [piece.delta or "" for piece in arm.stream_chat([message])]
    assert "".join(streamed).strip() == whole["text"]
    plain = OpenAILike(model="rag", api_base=f"{served.url}/v1", api_key="none")
    assert plain.complete(QUESTION).text == whole["text"]


def test_langchain_asks_an_arm(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    own: Any = {"base_url": f"{served.url}/v1", "api_key": "none"}
    arm, whole = ChatOpenAI(model="rag", **own), served.session.ask(QUESTION, "rag")
    assert arm.invoke(QUESTION).content == whole["text"]
    streamed = "".join(str(piece.content) for piece in arm.stream(QUESTION))
    assert streamed.strip() == whole["text"]
    vectors = OpenAIEmbeddings(model="any", check_embedding_ctx_length=False, **own)
    assert math.isclose(math.hypot(*vectors.embed_query("fog")), 1, abs_tol=1e-4)
