"""Forms of data: bytes as text, times, strict JSON and its canonical form."""
