"""Fitting the model of history: growth priors and observations give posterior draws, in ArviZ's form.

A fit is a DataTree with the groups `prior`, `posterior`, `posterior_predictive`, `log_likelihood`, `log_prior`,
`sample_stats` and `observed_data`. A stored fit is read again: its name is made from all that its draws hang on, which
are the observations, priors and settings, the code, the libraries and the platform.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache as memory
from functools import partial
from importlib.metadata import version
from pathlib import Path as FilePath
from typing import Any, Literal, cast

import numpy as np
import xarray as xr

from simulator.errors import NotStoredError, RunFileError, missing_extra
from simulator.files import make_folder, remove_file, replacing, state_of
from simulator.history import model as equations
from simulator.history import replicates
from simulator.history.beliefs import history_priors
from simulator.history.columns import known_words
from simulator.history.model import HistoryModel, HistoryPriors, build_model, log_prior, weights
from simulator.history.observations import Array, Known, Observations, known_at
from simulator.history.replicates import flags_of, log_likelihood, observed_data, replicate
from simulator.priors import twins
from simulator.runs.checked import check, fault, read_tree
from simulator.runs.groups import of_tree
from simulator.runs.netcdf import write_netcdf
from simulator.schema.prior_families import Distribution
from simulator.version import NUMERICAL, libraries, machine, made_by

PRIOR_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """How to sample."""

    sampler: Literal["pymc", "nutpie"] = "pymc"  # nutpie is faster and needs the extra `nutpie`
    draws: int = 1000  # of each chain, that are kept
    tune: int = 600  # before them, to tune the sampler
    chains: int = 4
    target_acceptance: float = 0.95  # nearer to 1 means smaller steps and fewer divergences
    seed: int = 0
    cores: int = 0  # chains that run at once, as many as there are for 0; the draws do not depend on it
    stored: bool = False  # whether a fit is read that is stored, and none is made

    @property
    def workers(self) -> int:
        """Chains that run at once."""
        return min(self.chains, self.cores or os.cpu_count() or 1)


def fit_history(
    observations: Observations,
    *,
    date: float | None = None,
    priors: HistoryPriors | None = None,
    settings: SamplerSettings | None = None,
    cache: FilePath | None = None,
) -> xr.DataTree:
    """Fit the model to what was known at a date (decimal year), by default to all that is known.

    A fit that is in `cache`, a folder, is read; any other is stored there. Whether the chains agree is for `diagnose`.
    """
    dates = (observations.known_to if date is None else date,)
    return fit_dates(observations, dates=dates, priors=priors, settings=settings, cache=cache)[0]


def fit_dates(
    observations: Observations,
    *,
    dates: Sequence[float],
    priors: HistoryPriors | None = None,
    settings: SamplerSettings | None = None,
    cache: FilePath | None = None,
) -> tuple[xr.DataTree, ...]:
    """Fit one model to what was known at each of several dates; see `fit_history`.

    The model is built, and with nutpie compiled, once for all.
    """
    return begin_fits(observations, dates=dates, priors=priors, settings=settings, cache=cache)()


type Fit = Callable[[], xr.DataTree]
"""What gives a fit: at once, or when it is made elsewhere."""


def begin_fits(
    observations: Observations,
    *,
    dates: Sequence[float],
    priors: HistoryPriors | None = None,
    settings: SamplerSettings | None = None,
    cache: FilePath | None = None,
    hand: Callable[[Fit], Fit] | None = None,
) -> Callable[[], tuple[xr.DataTree, ...]]:
    """Give what makes the fits of `fit_dates`, or waits for those that were handed over by `hand`, each by itself."""
    priors, settings = priors or history_priors(), settings or SamplerSettings()
    known = [known_at(observations, date) for date in dates]
    named = [(each, _identity(observations, each, priors=priors, settings=settings)) for each in known]
    files = [
        None if cache is None else cache / f"history-{known_words(each.date).rpartition(' ')[2]}-{name}.nc"
        for each, name in named
    ]
    fits = [read_fit(file, settings) for file in files]
    missing = [place for place, fit in enumerate(fits) if fit is None]
    alone = partial(_fits, observations, priors=priors, settings=settings)
    waited = [hand(partial(_fit_alone, alone, named[place])) for place in missing] if hand else []

    def finished() -> tuple[xr.DataTree, ...]:
        with contextlib.closing(_each(waited) if waited else alone([named[place] for place in missing])) as made:
            for place, fit in zip(missing, made, strict=True):
                fits[place] = fit
                store_fit(fit, files[place])
        return tuple(_named(fit, observations, each) for fit, each in zip(fits, known, strict=True) if fit is not None)

    return finished


def _each(waited: Iterable[Fit]) -> Generator[xr.DataTree]:
    for fit in waited:
        yield fit()


def _fits(
    observations: Observations,
    named: Sequence[tuple[Known, str]],
    *,
    priors: HistoryPriors,
    settings: SamplerSettings,
) -> Generator[xr.DataTree]:
    """Make fits to what was known, each with its name."""
    if not named:
        return
    with exact_arithmetic():
        built = build_model(observations, priors=priors)
        sample = sampler_of(built.model, settings)
        prior = draw_prior(built.model, seed=settings.seed)
        for known, name in named:
            yield _fit(built, known, name, sample=sample, prior=prior, settings=settings)


def _fit_alone(fits: partial[Generator[xr.DataTree]], named: tuple[Known, str]) -> xr.DataTree:
    """Make one fit where no process may start others: one chain after the other, one fit at a time in a process."""
    with _one_at_a_time():
        (fit,) = fits([named], settings=replace(fits.keywords["settings"], cores=1))
    return fit


@memory
def _one_at_a_time() -> threading.Lock:
    """Give the lock of fits: PyTensor compiles with settings of the whole process."""
    return threading.Lock()


@contextlib.contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Let PyTensor keep the order of arithmetic as it is written, here and in the processes of chains.

    What it does in another order depends on what was compiled together, and so on what its compile cache held.
    """
    from pytensor.configdefaults import config

    flags = {"numba__fastmath": False, "floatX": "float64", "linker": "auto"}
    before = os.environ.get("PYTENSOR_FLAGS")
    asked = [*([before] if before else []), *(f"{name}={value}" for name, value in flags.items())]
    os.environ["PYTENSOR_FLAGS"] = ",".join(asked)  # a process that is started anew reads them
    try:
        with config.change_flags(**flags):
            yield
    finally:
        os.environ.pop("PYTENSOR_FLAGS")
        os.environ.update({"PYTENSOR_FLAGS": before} if before is not None else {})


type Sample = Callable[[Mapping[str, Array]], tuple[xr.Dataset, xr.Dataset]]
"""What samples a model with other data, by their names: its posterior, and the statistics of the sampler."""


def sampler_of(model: Any, settings: SamplerSettings) -> Sample:
    """Make what samples the posterior of a `pymc.Model`, which is built, and with nutpie compiled, once."""
    sample = _raw_sampler(model, settings)

    def sampled(data: Mapping[str, Array]) -> tuple[xr.Dataset, xr.Dataset]:
        found = sample(data)
        if not _is_whole(found, settings):  # the samplers keep Ctrl-C to themselves, and give what they have so far
            raise KeyboardInterrupt
        posterior = found["posterior"].to_dataset().astype(np.float64).drop_attrs()
        told = found["sample_stats"].to_dataset()
        names = {new: name for new, olds in _STATISTICS.items() for name in olds if name in told}
        statistics = xr.Dataset({new: told[old].variable for new, old in names.items()}).drop_attrs()
        return posterior, statistics.assign_coords({dim: posterior[dim] for dim in ("chain", "draw")})

    return sampled


def _raw_sampler(model: Any, settings: SamplerSettings) -> Callable[[Mapping[str, Array]], xr.DataTree]:
    shown = sys.stderr.isatty()
    asked: dict[str, Any] = {
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "cores": settings.workers,
        "target_accept": settings.target_acceptance,
    }
    if settings.sampler == "pymc":
        import pymc as pm

        asked |= {"random_seed": settings.seed, "progressbar": shown, "quiet": not shown}

        def by_pymc(data: Mapping[str, Array]) -> xr.DataTree:
            # A step that runs away overflows and is rejected: that is how the sampler finds its step size.
            # PyMC draws its bars on stdout, which is for results.
            with model, np.errstate(over="ignore"), contextlib.redirect_stdout(sys.stderr):
                pm.set_data(dict(data))
                # PyMC takes nutpie by itself where it is installed.
                try:
                    found = pm.sample(nuts_sampler="pymc", compute_convergence_checks=False, **asked)
                except ValueError as error:
                    if "Not enough samples" in str(error):  # Ctrl-C came before the first draw: see sampler_of
                        raise KeyboardInterrupt from None
                    raise
                return cast("xr.DataTree", found)

        return by_pymc
    try:
        import nutpie
    except ImportError:
        remedy = "or take the sampler pymc, which needs nothing more"
        raise missing_extra("sampler: nutpie is not installed.", "nutpie", remedy) from None
    compiled = nutpie.compile_pymc_model(model)
    # This adaptation has twice the effective draws of the default on this model.
    asked |= {"seed": settings.seed, "progress_bar": shown, "save_warmup": False, "adaptation": "draw_diag"}
    return lambda data: cast("xr.DataTree", nutpie.sample(compiled.with_data(**data), **asked))


# What the two samplers call the same figures. Timings are left out: they differ from run to run.
_STATISTICS = {
    "diverging": ("diverging",),
    "n_steps": ("n_steps",),
    "tree_depth": ("tree_depth", "depth"),
    "reached_max_treedepth": ("reached_max_treedepth", "maxdepth_reached"),
    "energy": ("energy",),
    "lp": ("lp", "logp"),
    "step_size": ("step_size",),
    "acceptance_rate": ("acceptance_rate", "mean_tree_accept"),
}


def _fit(
    built: HistoryModel,
    known: Known,
    identity: str,
    *,
    sample: Sample,
    prior: xr.Dataset,
    settings: SamplerSettings,
) -> xr.DataTree:
    posterior, statistics = sample(weights(known))
    rng = np.random.default_rng([settings.seed, 1])
    attributes = {
        "fit": identity,
        "snapshot": built.observations.snapshot,
        "known_to": known.date,
        "first_year": built.observations.years[0],
        "runs": int(known.run.sum() + known.hidden.sum()),
        "hidden_runs": int(known.hidden.sum()),
        "record": known.record,
        **made_how(settings),
    }
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=attributes),
            "prior": prior,
            "posterior": posterior,
            "posterior_predictive": replicate(posterior, built.observations, known, rng=rng),
            "log_likelihood": log_likelihood(posterior, built.observations, known),
            "log_prior": log_prior(posterior, built),
            "sample_stats": statistics,
            "observed_data": observed_data(built.observations, known),
        }
    )


def made_how(settings: SamplerSettings) -> dict[str, Any]:
    """Say how and by what a fit was made, for its attributes."""
    sampler = f"{settings.sampler} {version(settings.sampler)}"
    return {"sampler": sampler, "seed": settings.seed, **made_by(), "libraries": json.dumps(_libraries(settings))}


def draw_prior(model: Any, *, seed: int) -> xr.Dataset:
    """Draw every unknown of a `pymc.Model` from the prior, with the names and dimensions of the posterior."""
    import pymc as pm

    unknown = [*model.free_RVs, *model.deterministics]
    # Compiling would take longer than the draws.
    values = pm.draw(unknown, draws=PRIOR_DRAWS, random_seed=seed, mode="FAST_COMPILE")
    variables = {
        rv.name: (("chain", "draw", *(model.named_vars_to_dims.get(rv.name) or ())), np.asarray(drawn, float)[None])
        for rv, drawn in zip(unknown, values, strict=True)
    }
    coords = {dim: np.asarray(labels) for dim, labels in model.coords.items()}
    return xr.Dataset(variables, coords={**coords, "chain": [0], "draw": np.arange(PRIOR_DRAWS)})


def _named(fit: xr.DataTree, observations: Observations, known: Known) -> xr.DataTree:
    """Say which run and which accelerator each observation is of, where that is known.

    Names are put on a fit that is handed out, never on one that is stored: they decide no number of it.
    """
    names = {
        f"{dim}_name": (dim, np.array(every, dtype=str)[flag], {"long_name": f"name of the {dim.replace('_', ' ')}"})
        for dim, flag in flags_of(known).items()
        if (every := getattr(observations, f"{dim.removeprefix('costed_')}_name"))
    }
    datasets = {str(name): node.to_dataset() for name, node in fit.children.items()}
    for place in ("observed_data", "posterior_predictive"):
        datasets[place] = datasets[place].assign_coords(names)
    told = {"known_to": known.date, "record": known.record}  # which one that is stored may lack
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=fit.attrs | told), **datasets})


def _identity(observations: Observations, known: Known, *, priors: HistoryPriors, settings: SamplerSettings) -> str:
    """Hash all that decides the numbers of a fit."""
    unread, seen = ("run_name", "accelerator_name", "name", "known_to", "hidden"), list[bytes]()
    for part in (observations, observations.hidden):
        for name in (field.name for field in fields(part) if field.name not in unread):
            values = getattr(part, name)
            seen.append(name.encode() + (values.tobytes() if isinstance(values, np.ndarray) else repr(values).encode()))
    families = [getattr(priors, field.name) for field in fields(priors)]
    return identity(seen, families, settings, sources=(equations.__file__, replicates.__file__), known_to=known.date)


def identity(
    seen: Iterable[bytes],
    families: Iterable[Distribution],
    settings: SamplerSettings,
    *,
    sources: Iterable[str],
    **rest: object,
) -> str:
    """Hash all that decides the numbers of a fit: data, priors, settings, and the code of its equations."""
    digest = hashlib.sha256()
    for part in seen:
        digest.update(part)
    for family in families:  # a family is what its quantiles are, however it was written
        digest.update(np.asarray(family.ppf(np.linspace(0.0005, 0.9995, 1000)), dtype=np.float64).tobytes())
    rest |= {key: value for key, value in asdict(settings).items() if key not in ("cores", "stored")}
    rest |= {"libraries": _libraries(settings), "platform": machine()}
    digest.update(json.dumps(rest, sort_keys=True).encode())
    for module in (__file__, *sources, twins.__file__):  # another equation or prior gives other draws
        digest.update(FilePath(module).read_bytes())
    return digest.hexdigest()[:16]


def _libraries(settings: SamplerSettings) -> dict[str, str]:
    """Give the versions of the libraries that the draws hang on."""
    return libraries(name for name in NUMERICAL if name != "nutpie" or name == settings.sampler)


def _is_whole(fit: xr.DataTree, settings: SamplerSettings) -> bool:
    """Tell whether every chain has all its draws."""
    return tuple(fit["posterior"].sizes[dim] for dim in ("chain", "draw")) == (settings.chains, settings.draws)


def read_fit(file: FilePath | None, settings: SamplerSettings) -> xr.DataTree | None:
    """Read a stored fit; None where there is none, or, with a word, where it does not hold what a fit must.

    NotStoredError in the place of None where none is to be made.
    """
    found = _read_fit(file, settings)
    if found is None and settings.stored:
        raise NotStoredError(f"{file}: is not stored yet.")
    return found


def _read_fit(file: FilePath | None, settings: SamplerSettings) -> xr.DataTree | None:
    if file is None or not (before := state_of(file)):
        return None
    try:
        check(found := read_tree(file), "fit", file=file)
        if not _is_whole(found, settings):
            raise fault(("posterior", "has not every draw"), "fit", file=file)
    except RunFileError as error:
        if state_of(file) == before:  # or else another process has removed it just now
            sys.stderr.write(f"warning: {error} The fit is made anew.\n")
        return None
    with contextlib.suppress(OSError):  # a folder that cannot be written is read all the same
        os.utime(file)  # what is read was used last
    return found


def store_fit(fit: xr.DataTree, file: FilePath | None) -> None:
    """Store a fit for `read_fit`; without a file, nowhere."""
    if file is None:
        return
    make_folder(file.parent)
    with replacing(file) as temporary:
        write_netcdf(of_tree(fit), temporary)
    prune(file.parent)


LARGEST_CACHE = 500_000_000
"""Bytes that stored fits of one folder may take: some 45 of four chains of 1,000 draws."""


def _state(file: FilePath) -> os.stat_result | None:
    """Look at a file; None where another process has removed it."""
    with contextlib.suppress(FileNotFoundError):
        return file.stat()
    return None


def prune(folder: FilePath, *, limit: int = LARGEST_CACHE) -> list[FilePath]:
    """Remove the fits used least recently until the others of a folder are within a limit; the newest stays."""
    found = [(file, state) for file in folder.glob("*.nc") if (state := _state(file)) is not None]
    files = sorted(found, key=lambda each: each[1].st_mtime_ns)
    size, removed = sum(state.st_size for _, state in files), []
    for file, state in files[:-1]:
        if size > limit:
            remove_file(file)
            size -= state.st_size
            removed.append(file)
    return removed
