"""Check that what was made of an object is never taken for what belongs to another one."""

from __future__ import annotations

import gc
import weakref

from lieapp.gui.work.identity import identity


class Thing:
    pass


def test_keys_are_those_of_their_objects() -> None:
    one, other = Thing(), Thing()
    assert identity(one) == identity(one) and hash(identity(one)) == hash(identity(one))
    assert identity(one) != identity(other) and identity(one) != identity(None) and identity(None) is None


def test_a_key_outlives_its_object_and_belongs_to_no_other() -> None:
    thing = Thing()
    key, gone = identity(thing), weakref.ref(thing)
    made = {(key, 1): "of the first"}
    del thing
    gc.collect()
    assert gone() is None, "the key does not keep it"
    others = [Thing() for _ in range(1000)]  # some of them where the first one was
    assert all((identity(other), 1) not in made for other in others)
    assert made[key, 1] == "of the first"
