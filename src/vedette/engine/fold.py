"""The fold of a slice into a state table: touched partitions are written anew, others carried over, the oldest forgotten."""

from collections.abc import Mapping
from datetime import datetime

from vedette.detections import Number
from vedette.engine.port import Port
from vedette.epoch import EPOCH
from vedette.sql.graph import fill
from vedette.state import State
from vedette.state_files.generation import Generation, Part


def fold(
    port: Port, state: State, generation: Generation, watermark: datetime, numbers: Mapping[str, Number]
) -> tuple[Part, ...]:
    """Fold the slice into a state table; return its parts, and leave the table under its name as it is afterwards.

    ``generation`` is the one before the step; new files go into the folder of the next.
    """
    name, columns = state.name, ", ".join(state.schema.names)
    before = generation.states.get(name, ())
    port.keep(f"{name}_rows", f"select {columns} from ({fill(state.rows, numbers)})")
    numbered = {row[state.partition] for row in port.rows(f"select distinct {state.partition} from {name}_rows")}
    touched = tuple(part for part in before if state.whole or part.day in numbered)
    port.open(f"{name}_old", state, touched)
    # Rows of a slice are folded already: only where there is something to fold them into is there more to do.
    new = fill(state.fold, numbers) if touched else f"select * from {name}_rows"
    oldest = state.oldest((watermark - EPOCH).days)
    folder = f"states/{generation.number + 1:08}"
    written = port.fold(state, f"select {columns} from ({new})", oldest, folder)
    untouched = tuple(part for part in before if part not in touched)
    # This slice still sees the rows that are now forgotten: later slices are newer and never ask for them.
    port.open(f"{name}_kept", state, untouched)
    port.view(name, f"select {columns} from {name}_kept union all select {columns} from {name}_new")
    return (*(part for part in untouched if part.day is None or part.day >= oldest), *written)
