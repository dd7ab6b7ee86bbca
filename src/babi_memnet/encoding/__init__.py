"""From text to numbers: tokenizer, vocabulary and the arrays that the networks read."""
