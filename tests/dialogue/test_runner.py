"""The sequential runner gives each node what it needs, once, after what it needs."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.runner import SequentialRunner


@dataclass
class Schema:
    """The part of Rasa's GraphSchema that a runner reads."""

    nodes: dict
    target_names: list = field(default_factory=list)

    def minimal_graph_schema(self, targets):
        needed, todo = {}, list(targets)
        while todo:
            name = todo.pop()
            if name in self.nodes and name not in needed:
                needed[name] = self.nodes[name]
                todo += self.nodes[name].needs.values()
        return Schema(needed, targets)


def runner(needs: dict[str, list[str]], calls: list[str]) -> SequentialRunner:
    def node(name):
        def run(*inputs):
            calls.append(name)
            return name, (name, tuple(value for _, value in inputs))

        return run

    schema = Schema({name: SimpleNamespace(needs=dict(enumerate(parents))) for name, parents in needs.items()})
    loaded = SimpleNamespace(_instantiated_nodes={name: node(name) for name in needs}, _graph_schema=schema)
    return SequentialRunner(loaded)


def test_a_node_gets_the_outputs_it_needs_in_their_order():
    calls = []
    result = runner({"c": ["a", "b"], "a": ["__message__"], "b": ["a"]}, calls).run({"__message__": "hi"}, ["c"])
    assert calls == ["a", "b", "c"]
    assert result == {"c": ("c", (("a", ("hi",)), ("b", (("a", ("hi",)),))))}


def test_what_the_target_does_not_need_is_not_run():
    calls = []
    runner({"a": ["__message__"], "b": ["a"], "other": ["a"]}, calls).run({"__message__": 1}, ["b"])
    assert calls == ["a", "b"]


@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.sets(st.integers(0, n)), min_size=n, max_size=n)))
def test_every_node_runs_once_and_after_its_parents(parents):
    needs = {str(i): [str(p) for p in sorted(ps) if p < i] or ["__message__"] for i, ps in enumerate(parents)}
    calls = []
    runner(needs, calls).run({"__message__": 0}, list(needs))
    assert sorted(calls) == sorted(needs)
    for position, name in enumerate(calls):
        assert all(parent in calls[:position] for parent in needs[name] if parent != "__message__")
