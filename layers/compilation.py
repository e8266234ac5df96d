"""Who runs the program that a layer is being traced into."""

import keras


def fuses_elementwise() -> bool:
    """Return whether XLA compiles this call: there a chain of comparisons is one pass, and library kernels are slow.

    JAX always compiles. TensorFlow does under `jit_compile=True`; it tells only its own modules so. A program that
    is compiled later, such as a loaded SavedModel, stays correct and only misses the faster form.
    """
    if keras.backend.backend() != "tensorflow":
        return keras.backend.backend() == "jax"
    import tensorflow
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tensorflow.compat.v1.get_default_graph())
