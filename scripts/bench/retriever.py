"""One contender of the retrieval benchmark, measured in the process that runs this module."""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from ragtune.core import offline
from ragtune.core.bundled import builtin_embedder
from ragtune.models.hardware import probe
from ragtune.recipe.rag import Rag
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.index import Retriever, update
from ragtune.sources.documents import from_documents
from ragtune.sources.readers import Document

RAG = Rag(search="dense", chunk_tokens=256, chunk_overlap=0.2, top_k=10)
BATCH = 512
TOP_K = 10
HIDDEN, DIMENSION = 32, 384


def texts(count: int, records: str) -> list[str]:
    """So many different texts: the contexts of a jsonl file, or made-up ones of similar length."""
    if records and Path(records).is_file():
        rows = [json.loads(line) for line in Path(records).read_text("utf-8").splitlines()]
        found = list(dict.fromkeys(row["context"] for row in rows if row.get("context")))
        return found[:count]
    random = Random(0)
    words = [
        "".join(random.choices("bcdfglmnprst", k=2) + random.choices("aeiou", k=2))
        for _ in range(2000)
    ]
    return [
        " ".join(" ".join(random.choices(words, k=12)) + "." for _ in range(random.randint(3, 12)))
        for _ in range(count)
    ]


def timed(ask: Callable[[Any], Any], questions: Sequence[Any]) -> dict[str, float]:
    """Median and 95th percentile of single calls, in milliseconds, after three not counted."""
    for question in questions[:3]:
        ask(question)
    taken = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        taken.append(1000 * (time.perf_counter() - started))
    p50, p95 = np.percentile(taken, [50, 95])
    return {"p50 ms": float(p50), "p95 ms": float(p95)}


def peak() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ingest(contender: str, size: int, queries: int, folder: Path, records: str) -> dict[str, Any]:
    """Read, split, embed and store documents; then ask questions, embedding included.

    ``of raw`` is ragtune's rate as a share of its embedder's on the same chunks alone.
    """
    documents = texts(size, records)
    questions = [text[:80] for text in documents[:queries]]
    found = (_ours if contender == "ragtune" else _theirs)(documents, questions, folder)
    return {**found, "peak MiB": peak()}


def _ours(documents: list[str], questions: list[str], folder: Path) -> dict[str, Any]:
    from ragtune.retrieval.chunks import Chunker

    embedder = Embedder(builtin_embedder(), probe())
    sources = [Document(f"{n}.txt", text) for n, text in enumerate(documents)]
    warm = from_documents(sources[:64])
    update(warm, RAG, embedder, fingerprint="f", folder=folder / "warm" / "index")
    started = time.perf_counter()
    update(from_documents(sources), RAG, embedder, fingerprint="f", folder=folder / "index")
    seconds, memory = time.perf_counter() - started, peak()
    chunks = [n.get_content(metadata_mode="embed") for n in Chunker(RAG, embedder).split(sources)]
    started = time.perf_counter()
    for start in range(0, len(chunks), BATCH):
        embedder.embed(chunks[start : start + BATCH])
    raw = time.perf_counter() - started
    retriever = Retriever(folder / "index", RAG, embedder, "f")
    latency = timed(lambda q: retriever.search([q]), questions)
    count = len(retriever.store)
    retriever.close()
    return {
        "chunks": count,
        "chunks/s": count / seconds,
        "ingestion's peak MiB": memory,
        "of raw": raw / seconds,
        **{f"query {name}": value for name, value in latency.items()},
    }


def _theirs(documents: list[str], questions: list[str], folder: Path) -> dict[str, Any]:
    """llama-index's documented way, with the splitter and the model of the other side."""
    from llama_index.core import Document as LlamaDocument
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.qdrant import QdrantVectorStore
    from qdrant_client import QdrantClient

    model = HuggingFaceEmbedding(model_name=str(builtin_embedder()), device=probe().device)
    tokenizer: Any = model._model.tokenizer
    splitter = SentenceSplitter(
        chunk_size=RAG.chunk_tokens - 2,
        chunk_overlap=int(RAG.chunk_overlap * RAG.chunk_tokens),
        tokenizer=lambda text: tokenizer(text, add_special_tokens=False)["input_ids"],
    )
    model.get_text_embedding_batch(documents[:64])
    client = QdrantClient(path=str(folder / "local"))
    store = QdrantVectorStore(collection_name="c", client=client)
    started = time.perf_counter()
    index = VectorStoreIndex.from_documents(
        [LlamaDocument(text=text) for text in documents],
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=model,
        transformations=[splitter],
    )
    seconds, memory = time.perf_counter() - started, peak()
    latency = timed(index.as_retriever(similarity_top_k=TOP_K).retrieve, questions)
    count = client.count("c").count
    client.close()
    return {
        "chunks": count,
        "chunks/s": count / seconds,
        "ingestion's peak MiB": memory,
        **{f"query {name}": value for name, value in latency.items()},
    }


def vectors(count: int, seed: int) -> Any:
    """Unit vectors as rows, of 32 hidden dimensions and a little noise.

    An embedder's vectors are of few dimensions too; fully random ones would be far from any real
    search, and all equally far from each other.
    """
    hidden = np.random.default_rng(0).standard_normal((HIDDEN, DIMENSION), np.float32)
    random = np.random.default_rng(seed)
    found: Any = random.standard_normal((count, HIDDEN), np.float32) @ hidden
    found += 0.5 * random.standard_normal(found.shape, np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def store(contender: str, size: int, queries: int, folder: Path, records: str) -> dict[str, Any]:
    """Put vectors into a store, open it again, search; recall is against exact fp32 search."""
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
    from llama_index.core.vector_stores.types import VectorStoreQuery

    held, asked = vectors(size, 1), vectors(queries, 2)
    body = texts(500, "")
    opened = _edge if contender == "ragtune" else _local_mode
    target, close = opened(folder, True)
    seconds = 0.0
    for start in range(0, size, BATCH):
        nodes = []
        for n in range(start, min(start + BATCH, size)):
            node = TextNode(id_=f"00000000-0000-0000-0000-{n:012x}", text=body[n % len(body)])
            node.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=f"{n // 4}.txt")
            node.metadata = {"document": f"{n // 4}.txt"}
            node.embedding = held[n].tolist()
            nodes.append(node)
        started = time.perf_counter()
        target.add(nodes)
        seconds += time.perf_counter() - started
    started = time.perf_counter()
    close()
    seconds += time.perf_counter() - started
    started = time.perf_counter()
    target, close = opened(folder, False)
    found = {"chunks": size, "chunks/s": size / seconds}
    found["open ms"] = 1000 * (time.perf_counter() - started)
    asking = [VectorStoreQuery(query_embedding=v.tolist(), similarity_top_k=TOP_K) for v in asked]
    found |= timed(target.query, asking)
    exact = np.argsort(-(asked @ held.T), axis=1)[:, :TOP_K]
    hits = [
        len({int(name[-12:], 16) for name in target.query(query).ids or []} & set(best.tolist()))
        for query, best in zip(asking, exact, strict=True)
    ]
    close()
    return {**found, "recall@10": float(np.mean(hits)) / TOP_K, "peak MiB": peak()}


def change(size: int, folder: Path) -> dict[str, Any]:
    """Index short documents, then again with one of them changed; the share that this costs."""
    embedder = Embedder(builtin_embedder(), probe())
    sources = [Document(f"{n}.txt", text[:80]) for n, text in enumerate(texts(size, ""))]
    taken = []
    for changed in (sources, [Document("0.txt", "Another text is here now."), *sources[1:]]):
        corpus = from_documents(changed)
        started = time.perf_counter()
        update(corpus, RAG, embedder, fingerprint="f", folder=folder / "index")
        taken.append(time.perf_counter() - started)
    whole, one = taken
    return {"chunks": size, "full s": whole, "one changed s": one, "share": one / whole}


def _edge(folder: Path, new: bool) -> tuple[Any, Callable[[], None]]:
    from ragtune.retrieval.stores.embedded import EmbeddedStore

    place = folder / "edge"
    store = EmbeddedStore.create(place, DIMENSION) if new else EmbeddedStore.open(place)

    def close() -> None:
        if new:
            store.flush()
            store.optimize()
        store.close()

    return store.as_llama_index(), close


def _local_mode(folder: Path, new: bool) -> tuple[Any, Callable[[], None]]:
    from llama_index.vector_stores.qdrant import QdrantVectorStore
    from qdrant_client import QdrantClient

    client = QdrantClient(path=str(folder / "local"))
    return QdrantVectorStore(collection_name="c", client=client), client.close


def main() -> None:
    """Measure one part, named on the command line, and print its figures as a line of JSON."""
    offline.go_offline()
    part, contender, size, queries, folder, records = sys.argv[1:]
    if part == "change":
        print(json.dumps(change(int(size), Path(folder))))
        return
    measure = {"ingest": ingest, "store": store}[part]
    print(json.dumps(measure(contender, int(size), int(queries), Path(folder), records)))


if __name__ == "__main__":
    main()
