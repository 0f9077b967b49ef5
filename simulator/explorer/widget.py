"""The explorer in a notebook: the page of the browser as a widget, answered by the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from simulator.charts.bundle import vega_script
from simulator.errors import missing_extra
from simulator.explorer.explorer import Explorer
from simulator.explorer.share import page_script
from simulator.scenario.load import Source
from simulator.scenario.resolving import Scenario

if TYPE_CHECKING:
    import anywidget

_SHEET = FilePath(__file__).with_name("page.css")


def explore(
    scenario: Source | Scenario = "baseline",
    *,
    overrides: Sequence[str] = (),
    outputs: FilePath | str = "outputs",
) -> anywidget.AnyWidget:
    """Show a scenario in a notebook to be changed: move an assumption, see the forecast move.

    The page is that of `simulate explore`, in Jupyter, VS Code and whatever else shows widgets. Every number is
    computed in the kernel, with the draws of `simulate`; nothing listens to the network. It needs the extra `notebook`.

    Parameters
    ----------
    scenario : what `load_scenario` reads, or a Scenario
    overrides : sequence of str
        Changes as `path=value`, laid over it before it is explored.
    outputs : path
        The folder in which runs are written that the page asks for, and which holds the fits of scenarios that learn.

    Returns
    -------
    anywidget.AnyWidget
        The last line of a cell shows it. `state` is what the page was opened with; `answer` answers what it asks.

    Raises
    ------
    InputError
        The scenario has faults, or there is none; or the extra is not installed.

    Examples
    --------
    >>> from simulator import explore
    >>> page = explore("essay-2023", overrides=["samples=64"])
    >>> page.state["picture"]["samples"]
    64
    """
    explorer = Explorer(scenario, overrides=overrides, outputs=outputs)
    widget: anywidget.AnyWidget = _widget()(explorer, explorer.state)
    return widget


@cache
def _widget() -> Any:
    """Make the class of the widget, once its library is there."""
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError:
        raise missing_extra("explore needs the package anywidget.", "notebook") from None

    class ExplorerWidget(anywidget.AnyWidget):
        """The page, and the explorer that answers it."""

        _esm = f"{vega_script()}\n{page_script()}"
        _css = _SHEET.read_text(encoding="utf-8")
        state = traitlets.Dict().tag(sync=True)

        def __init__(self, explorer: Explorer, state: Any) -> None:
            super().__init__(state=state)
            self.answer = explorer.answer
            self.on_msg(self._asked)

        def _asked(self, _: Any, asked: Any, __: Any) -> None:
            self.send(self.answer(asked))

    return ExplorerWidget
