"""A network written as an ONNX graph, module by module: compressed layers keep the numbers in which they are stored."""
