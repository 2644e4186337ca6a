"""Steps of one row that is alone, compiled, with weights in 8 bits."""
