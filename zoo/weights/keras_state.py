"""What Keras keeps for a whole thread while it builds: open scopes, and variables that have no values yet."""

import contextlib
from collections.abc import Iterator

import keras
from keras.src.backend.common import global_state


@contextlib.contextmanager
def unharmed() -> Iterator[None]:
    """Whatever is raised in this scope, Ctrl-C between any two steps of Keras too, leaves Keras as it was before.

    A name scope that was not closed, for one, would stand before the names of all variables from then on. Keras has no
    function for this but `clear_session`, which forgets the settings of the user as well.
    """
    before = {name: _copied(value) for name, value in vars(global_state.GLOBAL_STATE_TRACKER).items()}
    try:
        yield
    except BaseException as error:
        now = vars(global_state.GLOBAL_STATE_TRACKER)
        now.clear()
        now.update(before)
        if isinstance(error, SystemError) and isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error  # Ctrl-C while TensorFlow converted an array
        raise


def _copied(value: object) -> object:
    """Lists are changed in place: of scopes, and of variables."""
    return list(value) if isinstance(value, list) else value


@contextlib.contextmanager
def abstract() -> Iterator[None]:
    """A scope in which models are built without values for their variables, until `filling.fill` gives them some.

    Keras keeps a list of variables without values, and gives each a value whenever a scope ends. Those of models that
    never come to be (a mismatch, Ctrl-C) would be allocated by whatever is loaded next, or fail it. So they are taken
    off the list here, and `fill` initialises its model's own.
    """
    name = "uninitialized_variables"
    before = list(global_state.get_global_attribute(name) or ())
    with unharmed(), keras.StatelessScope(initialize_variables=False):
        yield
    global_state.set_global_attribute(name, before)
