"""Models and adapters as GGUF, the files that llama.cpp and Ollama read."""
